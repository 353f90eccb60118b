using System.Runtime.CompilerServices;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Runs, step after step, in SIMD over channels. Items: for each run its tiles of registers, where they lie; where all channels of a run fill no register,
/// registers of the channels of all runs together, copied to scratch.
/// </summary>
internal readonly unsafe struct RnnSequentialJob<TCell, TSimd, V, T>(RnnRun<T>* runs, int runCount, T* weights, RnnStrides strides, int tileVectors) : IRangeJob
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnRun<T>* _runs = runs;
    private readonly int _runCount = runCount;
    private readonly T* _weights = weights;
    private readonly RnnStrides _strides = strides;
    private readonly int _tileVectors = tileVectors;

    private int TileLanes => _tileVectors * TSimd.Count;

    private bool IsStaged => _strides.Channels < TSimd.Count;

    private int TilesPerRun => (_strides.Channels + TileLanes - 1) / TileLanes;

    private long ItemCount => IsStaged ? ((long)_runCount * _strides.Channels + TSimd.Count - 1) / TSimd.Count : (long)_runCount * TilesPerRun;

    public static void Run(RnnRun<T>* runs, int runCount, T* weights, in RnnStrides strides, int threads, CancellationToken cancellation)
    {
        long vectors = (strides.Channels + TSimd.Count - 1) / TSimd.Count * (long)runCount;
        int tileVectors = (int)Math.Clamp((vectors + threads - 1) / threads, RnnTuning.LatencyVectors, RnnTuning.TileVectors);
        var job = new RnnSequentialJob<TCell, TSimd, V, T>(runs, runCount, weights, strides, tileVectors);
        RangeRunner.Run(job, job.ItemCount, Math.Max(1, (job.ItemCount + threads - 1) / threads), threads, cancellation);
    }

    public void Run(long begin, long end)
    {
        for (long item = begin; item < end;)
        {
            if (IsStaged)
            {
                RunStaged(item++ * TSimd.Count);
                continue;
            }
            int first = (int)(item % TilesPerRun), count = (int)Math.Min(TilesPerRun - first, end - item);
            RunTiles(_runs[item / TilesPerRun], first, count);
            item += count;
        }
    }

    // Window after window over all tiles, so that rows of the inputs are read whole.
    private void RunTiles(in RnnRun<T> run, int firstTile, int tileCount)
    {
        for (int begin = 0; begin < run.Steps; begin += RnnTuning.WindowSteps)
        {
            RnnRun<T> rest = run.From(begin, _strides);
            for (int tile = firstTile; tile < firstTile + tileCount; tile++)
            {
                // A last tile of less than a register begins within the one before it.
                int channel = Math.Min(tile * TileLanes, _strides.Channels - TSimd.Count);
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
                    Lanes = Math.Min(TileLanes, _strides.Channels - channel),
                });
            }
        }
    }

    // One register: the run of lane l is l / channels, its channel l % channels.
    [SkipLocalsInit]
    private void RunStaged(long firstLane)
    {
        RnnLanes<T>* groups = stackalloc RnnLanes<T>[TSimd.Count];
        long elements = StagedTile<TCell, TSimd, V, T>.ScratchElements(TSimd.Count), bytes = RentedScratch.Bytes<T>(elements);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var memory = new RentedScratch(frame, bytes);
        T* scratch = memory.Take<T>(elements);
        int groupCount = 0;
        long end = Math.Min(firstLane + TSimd.Count, (long)_runCount * _strides.Channels);
        for (long lane = firstLane; lane < end;)
        {
            RnnRun<T> run = _runs[lane / _strides.Channels];
            int channel = (int)(lane % _strides.Channels), count = (int)Math.Min(_strides.Channels - channel, end - lane);
            groups[groupCount++] = run.Lanes(channel, count, (int)(lane - firstLane), _weights, _strides);
            lane += count;
        }
        new StagedTile<TCell, TSimd, V, T>(scratch, TSimd.Count, _strides).Run(new(groups, groupCount));
    }
}
