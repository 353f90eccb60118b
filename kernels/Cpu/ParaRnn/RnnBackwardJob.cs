using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Gradients. Items: for each sequence its tiles of channels, where they lie; copied to scratch where they fill no register. Each item adds up its sequence's
/// gradients by the weights, in double every <see cref="RnnTuning.GradientWindowSteps"/> steps, into partial sums of its own: no bit depends on the number of threads.
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

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        T* scratch = stackalloc T[TileLanes * (2 * TCell.StateCount + TCell.WeightCount)];
        T* staged = stackalloc T[TSimd.Count * (RnnTuning.GradientWindowSteps * 2 * (TCell.GateCount + TCell.StateCount) + TCell.StateCount + TCell.WeightCount)];
        for (long item = begin; item < end; item++)
        {
            int sequence = (int)(item / TilesPerSequence), tile = (int)(item % TilesPerSequence);
            // A last tile of less than a register begins within the one before it.
            int channel = IsStaged ? 0 : Math.Min(tile * TileLanes, _strides.Channels - TSimd.Count), fresh = tile * TileLanes - channel;
            RunTile(sequence, channel, Math.Min(TileLanes, _strides.Channels - channel), fresh, scratch, staged);
        }
    }

    // The first channels of a tile, up to fresh, belong to the one before it.
    private void RunTile(int sequence, int channel, int channels, int fresh, T* scratch, T* staged)
    {
        int lanes = (channels + TSimd.Count - 1) / TSimd.Count * TSimd.Count;
        long stateRow = (long)sequence * TCell.StateCount * _strides.Channels + channel;
        var tile = new RnnGradientTile<T> { Carry = scratch, Total = scratch + TCell.StateCount * lanes, WeightGradients = scratch + 2 * TCell.StateCount * lanes, ScratchLanes = lanes };
        tile.Forward.Lanes = IsStaged ? lanes : channels;
        double* sums = _partialSums + (long)sequence * TCell.WeightCount * _strides.Channels + channel;
        for (int weight = 0; weight < TCell.WeightCount; weight++)
            new Span<double>(sums + (long)weight * _strides.Channels + fresh, channels - fresh).Clear();
        new Span<T>(scratch, lanes * (2 * TCell.StateCount + TCell.WeightCount)).Clear();
        if (_gradients.FinalStateGradient != null)
            LoadCarry(_gradients.FinalStateGradient + stateRow, tile, channels);
        int first = _firstRuns[sequence], last = _firstRuns[sequence + 1] - 1;
        for (int run = last; run >= first; run--)
        {
            RunBackward(_runs[run], channel, channels, fresh, tile, staged, sums);
            // Before a reset nothing is known of what follows it.
            if (run > first)
                new Span<T>(tile.Carry, TCell.StateCount * lanes).Clear();
        }
        if (_gradients.InitialStateGradient == null)
            return;
        bool startsFromReset = last >= first && IsReset(sequence);
        if (startsFromReset)
            new Span<T>(tile.Carry, TCell.StateCount * lanes).Clear();
        StoreCarry(tile, _gradients.InitialStateGradient + stateRow, channels);
    }

    // Where registers share channels each has its own copy in scratch.
    private void LoadCarry(T* source, in RnnGradientTile<T> tile, int channels)
    {
        int whole = Math.Min(channels, tile.WholeLanes(TSimd.Count));
        LaneCopy<TSimd, V, T>.Gather(source, 0, _strides.Channels, tile.Carry, tile.ScratchLanes, TCell.StateCount, whole, 1);
        if (whole < channels)
            LaneCopy<TSimd, V, T>.Gather(source + channels - TSimd.Count, 0, _strides.Channels, tile.Carry + whole, tile.ScratchLanes, TCell.StateCount, TSimd.Count, 1);
    }

    private void StoreCarry(in RnnGradientTile<T> tile, T* destination, int channels)
    {
        int whole = Math.Min(channels, tile.WholeLanes(TSimd.Count));
        LaneCopy<TSimd, V, T>.Scatter(tile.Carry, tile.ScratchLanes, destination, 0, _strides.Channels, TCell.StateCount, whole, 1);
        if (whole < channels)
            LaneCopy<TSimd, V, T>.Scatter(tile.Carry + whole, tile.ScratchLanes, destination + channels - TSimd.Count, 0, _strides.Channels, TCell.StateCount, TSimd.Count, 1);
    }

    private bool IsReset(int sequence)
    {
        int first = _arrays.Direction == RnnDirection.Reverse ? _arrays.LengthOf(sequence) - 1 : 0;
        return _arrays.Resets != null && _arrays.Resets[(long)sequence * _arrays.Shape.StepCount + first];
    }

    private void RunBackward(in RnnRun<T> run, int channel, int channels, int fresh, RnnGradientTile<T> tile, T* staged, double* sums)
    {
        long gateOffset = run.Gates - _arrays.Gates, stateOffset = run.States - _arrays.States;
        for (int end = run.Steps; end > 0;)
        {
            int steps = (end - 1) % RnnTuning.GradientWindowSteps + 1;
            end -= steps;
            RnnRun<T> window = run.From(end, _strides);
            tile.Forward = new RnnTile<T>
            {
                Gates = window.Gates + channel,
                Weights = _arrays.Weights + channel,
                Start = window.Start + channel,
                States = window.States + channel,
                GateStride = _strides.Channels,
                WeightStride = _strides.Channels,
                StartStride = _strides.Channels,
                StateStride = _strides.Channels,
                GateStep = _strides.GateStep,
                StateStep = _strides.StateStep,
                Steps = steps,
                Lanes = tile.Forward.Lanes,
            };
            tile.StateGradients = _gradients.StateGradients + stateOffset + end * _strides.StateStep + channel;
            tile.GateGradients = _gradients.GateGradients + gateOffset + end * _strides.GateStep + channel;
            if (IsStaged)
                RunStaged(tile, channels, staged);
            else
                RnnGradientKernels<TCell, TSimd, V, T>.Backward(tile);
            AddUp(tile, fresh, channels, sums);
        }
    }

    // The same on copies in scratch, [steps, components, lanes].
    private void RunStaged(in RnnGradientTile<T> tile, int channels, T* scratch)
    {
        int lanes = tile.ScratchLanes, steps = tile.Forward.Steps, gateRow = TCell.GateCount * lanes, stateRow = TCell.StateCount * lanes;
        RnnTile<T> forward = tile.Forward;
        RnnGradientTile<T> copy = tile;
        T* gates = scratch, gateGradients = gates + RnnTuning.GradientWindowSteps * gateRow, states = gateGradients + RnnTuning.GradientWindowSteps * gateRow;
        T* stateGradients = states + RnnTuning.GradientWindowSteps * stateRow, start = stateGradients + RnnTuning.GradientWindowSteps * stateRow, weights = start + stateRow;
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
    private void AddUp(in RnnGradientTile<T> tile, int fresh, int channels, double* sums)
    {
        int whole = tile.WholeLanes(TSimd.Count), shift = tile.ScratchLanes - tile.Forward.Lanes;
        for (int weight = 0; weight < TCell.WeightCount; weight++)
        {
            T* window = tile.WeightGradients + weight * tile.ScratchLanes;
            double* sum = sums + (long)weight * _strides.Channels;
            for (int channel = fresh; channel < channels; channel++)
                sum[channel] += ComputeType.ToDouble(window[channel < whole ? channel : channel + shift]);
        }
        new Span<T>(tile.WeightGradients, TCell.WeightCount * tile.ScratchLanes).Clear();
    }
}
