using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Runs, step after step, in SIMD over channels. Items: for each run its tiles of whole registers, where they lie; then the channels that fill no register, of all runs together,
/// register by register, copied to scratch.
/// </summary>
internal readonly unsafe struct RnnSequentialJob<TCell, TSimd, V, T>(RnnRun<T>* runs, int runCount, T* weights, RnnStrides strides) : IRangeJob
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnRun<T>* _runs = runs;
    private readonly int _runCount = runCount;
    private readonly T* _weights = weights;
    private readonly RnnStrides _strides = strides;

    private int WholeVectors => _strides.Channels / TSimd.Count;

    private int RestChannels => _strides.Channels % TSimd.Count;

    private int TilesPerRun => (WholeVectors + RnnTuning.TileVectors - 1) / RnnTuning.TileVectors;

    private long TileCount => (long)_runCount * TilesPerRun;

    private long StagedCount => ((long)_runCount * RestChannels + TSimd.Count - 1) / TSimd.Count;

    public static void Run(RnnRun<T>* runs, int runCount, T* weights, in RnnStrides strides, int threads, CancellationToken cancellation)
    {
        var job = new RnnSequentialJob<TCell, TSimd, V, T>(runs, runCount, weights, strides);
        long items = job.TileCount + job.StagedCount;
        RangeRunner.Run(job, items, Math.Max(1, (items + threads - 1) / threads), threads, cancellation);
    }

    public void Run(long begin, long end)
    {
        for (long item = begin; item < Math.Min(end, TileCount);)
        {
            int run = (int)(item / TilesPerRun), first = (int)(item % TilesPerRun);
            int count = (int)Math.Min(TilesPerRun - first, end - item);
            RunTiles(_runs[run], first, count);
            item += count;
        }
        for (long item = Math.Max(begin, TileCount); item < end; item++)
            RunStaged((item - TileCount) * TSimd.Count);
    }

    // Window after window over all tiles, so that rows of the inputs are read whole.
    private void RunTiles(in RnnRun<T> run, int firstTile, int tileCount)
    {
        for (int begin = 0; begin < run.Steps; begin += RnnTuning.WindowSteps)
        {
            RnnRun<T> rest = run.From(begin, _strides);
            for (int tile = firstTile; tile < firstTile + tileCount; tile++)
            {
                int firstVector = tile * RnnTuning.TileVectors, channel = firstVector * TSimd.Count;
                RnnKernels<TCell, TSimd, V, T>.Forward(new RnnTile<T>
                {
                    Gates = rest.Gates + channel,
                    Weights = _weights + channel,
                    Start = rest.Start + channel,
                    States = rest.States + channel,
                    GateStride = _strides.Channels,
                    WeightStride = _strides.Channels,
                    StartStride = _strides.Channels,
                    StateStride = _strides.Channels,
                    GateStep = _strides.GateStep,
                    StateStep = _strides.StateStep,
                    Steps = Math.Min(RnnTuning.WindowSteps, rest.Steps),
                    Vectors = Math.Min(RnnTuning.TileVectors, WholeVectors - firstVector),
                });
            }
        }
    }

    // One register of the channels that fill no register: the run of lane l is l / rest, its channel the l % rest-th of them.
    [SkipLocalsInit]
    private void RunStaged(long firstLane)
    {
        RnnLanes<T>* groups = stackalloc RnnLanes<T>[TSimd.Count];
        T* scratch = stackalloc T[(int)StagedTile<TCell, TSimd, V, T>.ScratchElements(TSimd.Count)];
        int groupCount = 0;
        long end = Math.Min(firstLane + TSimd.Count, (long)_runCount * RestChannels);
        for (long lane = firstLane; lane < end;)
        {
            RnnRun<T> run = _runs[lane / RestChannels];
            int offset = (int)(lane % RestChannels), channel = WholeVectors * TSimd.Count + offset;
            int count = (int)Math.Min(RestChannels - offset, end - lane);
            groups[groupCount++] = new RnnLanes<T>
            {
                Gates = run.Gates + channel,
                States = run.States + channel,
                Weights = _weights + channel,
                Start = run.Start + channel,
                StartStride = _strides.Channels,
                Lane = (int)(lane - firstLane),
                Count = count,
                Steps = run.Steps,
            };
            lane += count;
        }
        new StagedTile<TCell, TSimd, V, T>(scratch, TSimd.Count, _strides).Run(new(groups, groupCount));
    }
}
