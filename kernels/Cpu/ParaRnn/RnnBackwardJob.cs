using Kernels.Core.ParaRnn;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Gradients. Items: for each sequence its tiles of channels, where they lie; copied to scratch where they fill no register. Each item adds up its sequence's
/// gradients by the weights, in double every <see cref="RnnTuning.GradientWindowSteps"/> steps, into partial sums of its own: no bit depends on the number of
/// threads.
/// </summary>
internal readonly unsafe struct RnnBackwardJob<TCell, TSimd, V, T>(
    RnnArrays<T> arrays, RnnGradientArrays<T> gradients, RnnRun<T>* runs, int* firstRuns, double* partialSums) : IRangeJob
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnArrays<T> _arrays = arrays;
    private readonly RnnGradientArrays<T> _gradients = gradients;
    private readonly RnnRun<T>* _runs = runs;
    private readonly int* _firstRuns = firstRuns;
    private readonly double* _partialSums = partialSums;
    private readonly RnnStrides _strides = RnnStrides.Of(arrays.Shape, arrays.Direction, TCell.GateCount, TCell.StateCount);

    private static int TileLanes => RnnTuning.TileVectors * TSimd.Count;

    private bool IsStaged => _strides.Channels < TSimd.Count;

    private int TilesPerSequence => (_strides.Channels + TileLanes - 1) / TileLanes;

    public long ItemCount => (long)_arrays.Shape.SequenceCount * TilesPerSequence;

    // Carry and total, and the gradients by the weights.
    private static int TileScratch => TileLanes * (2 * TCell.StateCount + TCell.WeightCount);

    private static int StagedScratch =>
        TSimd.Count * (RnnTuning.GradientWindowSteps * 2 * (TCell.GateCount + TCell.StateCount) + TCell.StateCount + TCell.WeightCount);

    /// <summary>Items handed out at a time: tiles side by side, window after window, so that rows of the arrays are read whole.</summary>
    public long Grain(int threads) => Math.Clamp((ItemCount + threads - 1) / threads, 1, RnnTuning.GradientTiles);

    public void Run(long begin, long end)
    {
        using var memory = RentedScratch.Of(RnnTuning.GradientTiles * TileScratch + (IsStaged ? StagedScratch : 0), out T* scratch);
        for (long item = begin; item < end;)
        {
            int first = (int)(item % TilesPerSequence), count = (int)Math.Min(Math.Min(TilesPerSequence - first, end - item), RnnTuning.GradientTiles);
            RunTiles((int)(item / TilesPerSequence), first, count, scratch);
            item += count;
        }
    }

    private void RunTiles(int sequence, int firstTile, int count, T* scratch)
    {
        RnnGradientTile<T>* tiles = stackalloc RnnGradientTile<T>[RnnTuning.GradientTiles];
        T* staged = scratch + RnnTuning.GradientTiles * TileScratch;
        for (int i = 0; i < count; i++)
            tiles[i] = Begin(sequence, firstTile + i, scratch + i * TileScratch);
        int first = _firstRuns[sequence], last = _firstRuns[sequence + 1] - 1;
        for (int run = last; run >= first; run--)
        {
            for (int end = _runs[run].Steps; end > 0;)
            {
                int steps = (end - 1) % RnnTuning.GradientWindowSteps + 1;
                end -= steps;
                for (int i = 0; i < count; i++)
                    RunWindow(_runs[run], end, steps, ref tiles[i], staged);
            }
            // Before a reset nothing is known of what follows it.
            for (int i = 0; run > first && i < count; i++)
                ClearCarry(tiles[i]);
        }
        bool startsFromReset = last >= first && IsReset(sequence);
        for (int i = 0; _gradients.InitialStateGradient != null && i < count; i++)
        {
            if (startsFromReset)
                ClearCarry(tiles[i]);
            StoreCarry(tiles[i], _gradients.InitialStateGradient + (long)sequence * TCell.StateCount * _strides.Channels + tiles[i].Channel);
        }
    }

    private RnnGradientTile<T> Begin(int sequence, int index, T* scratch)
    {
        // A last tile of less than a register begins within the one before it, which its first channels belong to.
        int channel = IsStaged ? 0 : Math.Min(index * TileLanes, _strides.Channels - TSimd.Count), channels = Math.Min(TileLanes, _strides.Channels - channel);
        int lanes = (channels + TSimd.Count - 1) / TSimd.Count * TSimd.Count;
        var tile = new RnnGradientTile<T>
        {
            Carry = scratch,
            Total = scratch + TCell.StateCount * lanes,
            WeightGradients = scratch + 2 * TCell.StateCount * lanes,
            WeightSums = _partialSums + (long)sequence * TCell.WeightCount * _strides.Channels + channel,
            ScratchLanes = lanes,
            Channel = channel,
            ChannelCount = channels,
            FreshChannel = index * TileLanes - channel,
        };
        tile.Forward.Lanes = IsStaged ? lanes : channels;
        for (int weight = 0; weight < TCell.WeightCount; weight++)
            new Span<double>(tile.WeightSums + (long)weight * _strides.Channels + tile.FreshChannel, channels - tile.FreshChannel).Clear();
        new Span<T>(scratch, lanes * (2 * TCell.StateCount + TCell.WeightCount)).Clear();
        if (_gradients.FinalStateGradient != null)
            LoadCarry(_gradients.FinalStateGradient + (long)sequence * TCell.StateCount * _strides.Channels + channel, tile);
        return tile;
    }

    private static void ClearCarry(in RnnGradientTile<T> tile) => new Span<T>(tile.Carry, TCell.StateCount * tile.ScratchLanes).Clear();

    // Where registers share channels each has its own copy in scratch.
    private void LoadCarry(T* source, in RnnGradientTile<T> tile)
    {
        int channels = tile.ChannelCount, whole = Math.Min(channels, tile.WholeLanes(TSimd.Count));
        LaneCopy<TSimd, V, T>.Gather(source, 0, _strides.Channels, tile.Carry, tile.ScratchLanes, TCell.StateCount, whole, 1);
        if (whole < channels)
            LaneCopy<TSimd, V, T>.Gather(source + channels - TSimd.Count, 0, _strides.Channels, tile.Carry + whole, tile.ScratchLanes, TCell.StateCount,
                TSimd.Count, 1);
    }

    private void StoreCarry(in RnnGradientTile<T> tile, T* destination)
    {
        int channels = tile.ChannelCount, whole = Math.Min(channels, tile.WholeLanes(TSimd.Count));
        LaneCopy<TSimd, V, T>.Scatter(tile.Carry, tile.ScratchLanes, destination, 0, _strides.Channels, TCell.StateCount, whole, 1);
        if (whole < channels)
            LaneCopy<TSimd, V, T>.Scatter(tile.Carry + whole, tile.ScratchLanes, destination + channels - TSimd.Count, 0, _strides.Channels, TCell.StateCount,
                TSimd.Count, 1);
    }

    private bool IsReset(int sequence)
    {
        int first = _arrays.Direction == RnnDirection.Reverse ? _arrays.LengthOf(sequence) - 1 : 0;
        return _arrays.Resets != null && _arrays.Resets[(long)sequence * _arrays.Shape.StepCount + first];
    }

    private void RunWindow(in RnnRun<T> run, int begin, int steps, ref RnnGradientTile<T> tile, T* staged)
    {
        RnnRun<T> window = run.From(begin, _strides);
        tile.Forward = new RnnTile<T>
        {
            Gates = window.Gates + tile.Channel,
            Weights = _arrays.Weights + tile.Channel,
            Start = window.Start + tile.Channel,
            States = window.States + tile.Channel,
            GateStride = _strides.Channels,
            WeightStride = _strides.Channels,
            StartStride = _strides.Channels,
            StateStride = _strides.Channels,
            GateStep = _strides.GateStep,
            StateStep = _strides.StateStep,
            Steps = steps,
            Lanes = tile.Forward.Lanes,
        };
        tile.StateGradients = _gradients.StateGradients + (window.States - _arrays.States) + tile.Channel;
        tile.GateGradients = _gradients.GateGradients + (window.Gates - _arrays.Gates) + tile.Channel;
        if (IsStaged)
            RunStaged(tile, staged);
        else
            RnnGradientKernels<TCell, TSimd, V, T>.Backward(tile);
        AddUp(tile);
    }

    // The same on copies in scratch, [steps, components, lanes].
    private void RunStaged(in RnnGradientTile<T> tile, T* scratch)
    {
        int channels = tile.ChannelCount, lanes = tile.ScratchLanes, steps = tile.Forward.Steps, gateRow = TCell.GateCount * lanes, stateRow = TCell.StateCount
            * lanes;
        RnnTile<T> forward = tile.Forward;
        RnnGradientTile<T> copy = tile;
        T* gates = scratch, gateGradients = gates + RnnTuning.GradientWindowSteps * gateRow, states = gateGradients + RnnTuning.GradientWindowSteps * gateRow;
        T* stateGradients = states + RnnTuning.GradientWindowSteps * stateRow, start = stateGradients + RnnTuning.GradientWindowSteps * stateRow,
            weights = start + stateRow;
        new Span<T>(scratch, (int)(weights - scratch) + TCell.WeightCount * lanes).Clear();
        LaneCopy<TSimd, V, T>.Gather(forward.Gates, forward.GateStep, forward.GateStride, gates, lanes, TCell.GateCount, channels, steps);
        LaneCopy<TSimd, V, T>.Gather(forward.States, forward.StateStep, forward.StateStride, states, lanes, TCell.StateCount, channels, steps);
        LaneCopy<TSimd, V, T>.Gather(tile.StateGradients, forward.StateStep, forward.StateStride, stateGradients, lanes, TCell.StateCount, channels, steps);
        LaneCopy<TSimd, V, T>.Gather(forward.Start, 0, forward.StartStride, start, lanes, TCell.StateCount, channels, 1);
        LaneCopy<TSimd, V, T>.Gather(forward.Weights, 0, forward.WeightStride, weights, lanes, TCell.WeightCount, channels, 1);
        copy.Forward = new RnnTile<T>
        {
            Gates = gates,
            Weights = weights,
            Start = start,
            States = states,
            GateStride = lanes,
            WeightStride = lanes,
            StartStride = lanes,
            StateStride = lanes,
            GateStep = gateRow,
            StateStep = stateRow,
            Steps = steps,
            Lanes = lanes,
        };
        copy.StateGradients = stateGradients;
        copy.GateGradients = gateGradients;
        RnnGradientKernels<TCell, TSimd, V, T>.Backward(copy);
        LaneCopy<TSimd, V, T>.Scatter(gateGradients, lanes, tile.GateGradients, forward.GateStep, forward.GateStride, TCell.GateCount, channels, steps);
    }

    // A window's gradients by the weights go to the sums in double.
    private void AddUp(in RnnGradientTile<T> tile)
    {
        int whole = tile.FreshChannel > 0 || IsStaged ? 0 : tile.WholeLanes(TSimd.Count), shift = tile.ScratchLanes - tile.Forward.Lanes;
        for (int weight = 0; weight < TCell.WeightCount; weight++)
        {
            T* window = tile.WeightGradients + weight * tile.ScratchLanes;
            double* sums = tile.WeightSums + (long)weight * _strides.Channels;
            for (int lane = 0; lane < whole; lane += TSimd.Count)
                TSimd.AddToDoubles(ref *sums, (nuint)lane, TSimd.Load(ref *window, (nuint)lane));
            for (int channel = Math.Max(whole, tile.FreshChannel); channel < tile.ChannelCount; channel++)
                sums[channel] += ComputeType.ToDouble(window[channel + shift]);
        }
        new Span<T>(tile.WeightGradients, TCell.WeightCount * tile.ScratchLanes).Clear();
    }
}
