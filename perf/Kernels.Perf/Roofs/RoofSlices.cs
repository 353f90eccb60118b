namespace Kernels.Perf;

/// <summary>The roof loops for one number of threads.</summary>
internal interface IRoofSlices
{
    int Threads { get; }

    RoofSample Run(RoofKind kind);

    /// <summary>Runs a loop and compares what it gave with what it should have given; relative, 0 or 1 for copies.</summary>
    double Check(RoofKind kind);
}

/// <summary>
/// The roof loops on two buffers, of which the source holds ones. A run does one part of them, the next run the next part: so a sample takes no longer than a
/// contender's (and is interrupted no more often), and yet finds nothing of its part in cache. A part is cut into equal slices, one for each thread.
/// </summary>
internal sealed unsafe class RoofSlices<TVector>(NativeBuffer<float> source, NativeBuffer<float> destination, int threads) : IRoofSlices
    where TVector : struct, IRoofVector<TVector>
{
    private const int Parts = 4;

    // 2 to 20 ms for cores of 25 to 250 GFLOP/s.
    private const double OperationsPerSample = 5e8;

    private readonly nint _slice = source.Length / Parts / threads / RoofLoops<TVector>.Block * RoofLoops<TVector>.Block;
    private readonly nint _steps = (nint)(OperationsPerSample / RoofLoops<TVector>.OperationsPerStep);
    private readonly nint _dotSteps = (nint)(OperationsPerSample / RoofLoops<TVector>.DotOperationsPerStep);
    private readonly nint _byteDotSteps = (nint)(OperationsPerSample / ByteDotLoop.OperationsPerStep);
    private readonly float[] _results = new float[threads];
    private int _part;

    public int Threads => threads;

    public RoofSample Run(RoofKind kind)
    {
        nint start = _part * _slice * threads;
        _part = (_part + 1) % Parts;
        return new RoofSample(kind, threads, RoofTeam.Time(threads, thread => Share(kind, thread, start + thread * _slice)), Work(kind));
    }

    public double Check(RoofKind kind)
    {
        destination.Span.Clear();
        for (int part = 0; part < Parts; part++)
            Run(kind);
        int copied = (int)_slice * threads * Parts;
        return kind switch
        {
            // Every lane counts ones, fewer than the 2^24 up to which floats count exactly.
            RoofKind.Read => _results.Max(sum => Math.Abs(sum / _slice - 1)),
            RoofKind.MultiplyAdd => _results.Max(mean => Math.Abs(mean / RoofLoops<TVector>.MultiplyAddLimit - 1)),
            RoofKind.ByteDot => _results.Max(sum => Math.Abs(sum / ByteDotLoop.SumOfStep - 1)),
            RoofKind.NibbleDot => _results.Max(sum => Math.Abs(sum / RoofLoops<TVector>.DotOfStep - 1)),
            _ => destination.Span[..copied].SequenceEqual(source.Span[..copied]) ? 0 : 1,
        };
    }

    private void Share(RoofKind kind, int thread, nint start)
    {
        float* from = source.Pointer + start, to = destination.Pointer + start;
        switch (kind)
        {
            case RoofKind.Read:
                _results[thread] = RoofLoops<TVector>.Read(from, _slice);
                break;
            case RoofKind.Copy:
                RoofLoops<TVector>.Copy(from, to, _slice);
                break;
            case RoofKind.CopyNonTemporal:
                RoofLoops<TVector>.CopyNonTemporal(from, to, _slice);
                break;
            case RoofKind.ByteDot:
                _results[thread] = ByteDotLoop.Run(_byteDotSteps);
                break;
            case RoofKind.NibbleDot:
                _results[thread] = RoofLoops<TVector>.NibbleDot(_dotSteps);
                break;
            default:
                _results[thread] = RoofLoops<TVector>.MultiplyAdd(_steps);
                break;
        }
    }

    private double Work(RoofKind kind) => threads * kind switch
    {
        RoofKind.Read => sizeof(float) * (double)_slice,
        RoofKind.MultiplyAdd => _steps * RoofLoops<TVector>.OperationsPerStep,
        RoofKind.ByteDot => _byteDotSteps * ByteDotLoop.OperationsPerStep,
        RoofKind.NibbleDot => _dotSteps * RoofLoops<TVector>.DotOperationsPerStep,
        _ => 2 * sizeof(float) * (double)_slice,
    };
}
