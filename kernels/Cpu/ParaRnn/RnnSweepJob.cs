using System.Runtime.CompilerServices;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>Runs the segments of dirty tiles; the first sweep runs the steps before each segment from a zero state, for a first guess of its start.</summary>
internal readonly unsafe struct RnnSweepJob<TCell, TSimd, V, T>(SegmentedRun<T>* runs, int runCount, T* weights, bool* dirty, RnnStrides strides,
    bool isFirst = false) : IRangeJob
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly SegmentedRun<T>* _runs = runs;
    private readonly int _runCount = runCount;
    private readonly T* _weights = weights;
    private readonly bool* _dirty = dirty;
    private readonly RnnStrides _strides = strides;
    private readonly bool _isFirst = isFirst;

    private static int TileLanes => RnnShooting<TCell, TSimd, V, T>.TileLanes;

    public RnnSweepJob<TCell, TSimd, V, T> First() => new(_runs, _runCount, _weights, _dirty, _strides, isFirst: true);

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        RnnLanes<T>* groups = stackalloc RnnLanes<T>[TileLanes];
        long elements = StagedTile<TCell, TSimd, V, T>.ScratchElements(TileLanes), endElements = (long)TCell.StateCount * TileLanes;
        long bytes = RentedScratch.Bytes<T>(elements) + RentedScratch.Bytes<T>(endElements);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var memory = new RentedScratch(frame, bytes);
        T* scratch = memory.Take<T>(elements), ends = memory.Take<T>(endElements);
        int run = 0;
        for (int tile = (int)begin; tile < end; tile++)
        {
            if (!_dirty[tile])
                continue;
            while (tile >= _runs[run].FirstTile + _runs[run].TileCount)
                run++;
            if (_isFirst)
                RunInTo(_runs[run], tile - _runs[run].FirstTile, groups, scratch, ends);
            Sweep(_runs[run], tile - _runs[run].FirstTile, groups, scratch);
        }
    }

    private void Sweep(in SegmentedRun<T> run, int tile, RnnLanes<T>* groups, T* scratch)
    {
        int groupCount = GroupsOf(run, tile, groups, firstSegment: 0, out int lanes);
        for (int i = 0; i < groupCount; i++)
        {
            ref RnnLanes<T> group = ref groups[i];
            int segment = SegmentOf(tile, group.Lane), channel = ChannelOf(tile, group.Lane);
            T* start = segment == 0 ? run.Run.Start : run.Starts + (long)segment * TCell.StateCount * _strides.Channels;
            group.Start = start + channel;
            group.StartStride = _strides.Channels;
            group.Steps = Math.Min(run.SegmentSteps, run.Run.Steps - segment * run.SegmentSteps);
        }
        new StagedTile<TCell, TSimd, V, T>(scratch, lanes, _strides).Run(new(groups, groupCount));
    }

    // All lanes but those of the first segment, over the steps before it.
    private void RunInTo(in SegmentedRun<T> run, int tile, RnnLanes<T>* groups, T* scratch, T* ends)
    {
        int groupCount = GroupsOf(run, tile, groups, firstSegment: 1, out int lanes), steps = Math.Min(RnnTuning.RunInSteps, run.SegmentSteps);
        for (int i = 0; i < groupCount; i++)
        {
            ref RnnLanes<T> group = ref groups[i];
            group.Gates -= steps * _strides.GateStep;
            group.Steps = steps;
        }
        if (groupCount == 0)
            return;
        var staged = new StagedTile<TCell, TSimd, V, T>(scratch, lanes, _strides);
        staged.RunFromZero(new(groups, groupCount), ends);
        for (int i = 0; i < groupCount; i++)
        {
            int segment = SegmentOf(tile, groups[i].Lane), channel = ChannelOf(tile, groups[i].Lane);
            LaneCopy<TSimd, V, T>.Scatter(
                ends + groups[i].Lane, lanes, run.Starts + (long)segment * TCell.StateCount * _strides.Channels + channel, 0, _strides.Channels,
                TCell.StateCount, groups[i].Count, 1);
        }
    }

    private int SegmentOf(int tile, int lane) => (int)(((long)tile * TileLanes + lane) / _strides.Channels);

    private int ChannelOf(int tile, int lane) => (int)(((long)tile * TileLanes + lane) % _strides.Channels);

    // The tile's lanes as groups of neighbouring channels of one segment, with gates, states and weights; lanes is rounded up to whole registers.
    private int GroupsOf(in SegmentedRun<T> run, int tile, RnnLanes<T>* groups, int firstSegment, out int lanes)
    {
        int count = (int)Math.Min(TileLanes, (long)run.Segments * _strides.Channels - (long)tile * TileLanes), groupCount = 0;
        lanes = (count + TSimd.Count - 1) / TSimd.Count * TSimd.Count;
        for (int lane = 0; lane < count;)
        {
            int segment = SegmentOf(tile, lane), channel = ChannelOf(tile, lane), width = Math.Min(_strides.Channels - channel, count - lane);
            if (segment >= firstSegment)
            {
                long step = (long)segment * run.SegmentSteps;
                groups[groupCount++] = new RnnLanes<T>
                {
                    Gates = run.Run.Gates + step * _strides.GateStep + channel,
                    States = run.Run.States + step * _strides.StateStep + channel,
                    Weights = _weights + channel,
                    Lane = lane,
                    Count = width,
                };
            }
            lane += width;
        }
        return groupCount;
    }
}
