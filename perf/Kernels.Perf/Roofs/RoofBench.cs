using System.Runtime.Intrinsics;

namespace Kernels.Perf;

/// <summary>
/// The roofs of this machine, with the widest vectors it has. They are sampled at the start and again in every round of every workload that is held
/// against them: a shared machine that slows down takes its roofs along.
/// </summary>
internal sealed class RoofBench : IDisposable
{
    private const int FirstSamples = 9;

    // Four times the last-level cache leaves at most a quarter of a buffer in it; half a gibibyte bounds the memory on servers with huge caches.
    private const int CacheMultiple = 4;
    private const long LargestBufferBytes = 1L << 29;

    private readonly NativeBuffer<float> _source = new((int)(Math.Min(CacheMultiple * MachineInfo.Current.Level3Bytes, LargestBufferBytes) / sizeof(float)));
    private readonly NativeBuffer<float> _destination;
    private readonly IRoofSlices[] _slices;
    private readonly RoofSamples _all = new();
    private readonly Dictionary<(RoofKind, int), double> _errors = [];

    public RoofBench(IReadOnlyList<int> threadCounts, ProgressLine progress)
    {
        progress.Say("measuring the roofs of this machine");
        _source.Span.Fill(1);
        _destination = new NativeBuffer<float>(_source.Length);
        // One thread's roofs are what the others' are held against.
        _slices = [.. threadCounts.Append(1).Distinct().Order().Select(Slices)];
        foreach (RoofKind kind in Enum.GetValues<RoofKind>())
        {
            foreach (IRoofSlices slices in _slices)
                _errors[(kind, slices.Threads)] = slices.Check(kind);
        }
        for (int sample = 0; sample < FirstSamples; sample++)
            Sample(Enum.GetValues<RoofKind>(), new RoofSamples());
    }

    /// <summary>The medians of all samples of this run.</summary>
    public IReadOnlyList<ResultRow> Rows => _all.Rows(_errors);

    /// <summary>Runs these loops once for every number of threads.</summary>
    public void Sample(IReadOnlyList<RoofKind> kinds, RoofSamples into)
    {
        foreach (RoofKind kind in kinds)
        {
            foreach (IRoofSlices slices in _slices)
            {
                RoofSample sample = slices.Run(kind);
                _all.Add(sample);
                into.Add(sample);
            }
        }
    }

    public void Dispose()
    {
        _source.Dispose();
        _destination.Dispose();
    }

    private IRoofSlices Slices(int threads) =>
        Vector512.IsHardwareAccelerated ? new RoofSlices<RoofVector512>(_source, _destination, threads)
        : Vector256.IsHardwareAccelerated ? new RoofSlices<RoofVector256>(_source, _destination, threads)
        : new RoofSlices<RoofVector128>(_source, _destination, threads);
}
