using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Gradients. Items: for each sequence its tiles of whole registers of channels, where they lie, and one more tile, copied to scratch, of those that fill no register. Each item adds up its sequence's
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

    private int WholeChannels => _strides.Channels / TSimd.Count * TSimd.Count;

    private int WholeTiles => (WholeChannels + TileLanes - 1) / TileLanes;

    private int TilesPerSequence => WholeTiles + (WholeChannels < _strides.Channels ? 1 : 0);

    public long ItemCount => (long)_arrays.Shape.SequenceCount * TilesPerSequence;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        T* scratch = stackalloc T[TileLanes * (2 * TCell.StateCount + TCell.WeightCount)];
        T* staged = stackalloc T[TSimd.Count * (RnnTuning.GradientWindowSteps * 2 * (TCell.GateCount + TCell.StateCount) + TCell.StateCount + TCell.WeightCount)];
        for (long item = begin; item < end; item++)
        {
            int sequence = (int)(item / TilesPerSequence), tile = (int)(item % TilesPerSequence);
            int channel = tile < WholeTiles ? tile * TileLanes : WholeChannels;
            int channels = tile < WholeTiles ? Math.Min(TileLanes, WholeChannels - channel) : _strides.Channels - channel;
            RunTile(sequence, channel, channels, scratch, tile < WholeTiles ? null : staged);
        }
    }

    private void RunTile(int sequence, int channel, int channels, T* scratch, T* staged)
    {
        int lanes = (channels + TSimd.Count - 1) / TSimd.Count * TSimd.Count;
        long stateRow = (long)sequence * TCell.StateCount * _strides.Channels + channel;
        var tile = new RnnGradientTile<T> { Carry = scratch, Total = scratch + TCell.StateCount * lanes, WeightGradients = scratch + 2 * TCell.StateCount * lanes, Lanes = lanes };
        double* sums = _partialSums + (long)sequence * TCell.WeightCount * _strides.Channels + channel;
        for (int weight = 0; weight < TCell.WeightCount; weight++)
            new Span<double>(sums + (long)weight * _strides.Channels, channels).Clear();
        new Span<T>(scratch, lanes * (2 * TCell.StateCount + TCell.WeightCount)).Clear();
        if (_gradients.FinalStateGradient != null)
            LaneCopy<TSimd, V, T>.Gather(_gradients.FinalStateGradient + stateRow, 0, _strides.Channels, tile.Carry, lanes, TCell.StateCount, channels, 1);
        int first = _firstRuns[sequence], last = _firstRuns[sequence + 1] - 1;
        for (int run = last; run >= first; run--)
        {
            RunBackward(_runs[run], channel, channels, tile, staged, sums);
            // Before a reset nothing is known of what follows it.
            if (run > first)
                new Span<T>(tile.Carry, TCell.StateCount * lanes).Clear();
        }
        if (_gradients.InitialStateGradient == null)
            return;
        bool startsFromReset = last >= first && IsReset(sequence);
        if (startsFromReset)
            new Span<T>(tile.Carry, TCell.StateCount * lanes).Clear();
        LaneCopy<TSimd, V, T>.Scatter(tile.Carry, lanes, _gradients.InitialStateGradient + stateRow, 0, _strides.Channels, TCell.StateCount, channels, 1);
    }

    private bool IsReset(int sequence)
    {
        int first = _arrays.Direction == RnnDirection.Reverse ? _arrays.LengthOf(sequence) - 1 : 0;
        return _arrays.Resets != null && _arrays.Resets[(long)sequence * _arrays.Shape.StepCount + first];
    }

    private void RunBackward(in RnnRun<T> run, int channel, int channels, RnnGradientTile<T> tile, T* staged, double* sums)
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
                Vectors = tile.Lanes / TSimd.Count,
            };
            tile.StateGradients = _gradients.StateGradients + stateOffset + end * _strides.StateStep + channel;
            tile.GateGradients = _gradients.GateGradients + gateOffset + end * _strides.GateStep + channel;
            if (staged == null)
                RnnGradientKernels<TCell, TSimd, V, T>.Backward(tile);
            else
                RunStaged(tile, channels, staged);
            AddUp(tile, channels, sums);
        }
    }

    // The same on copies in scratch, [steps, components, lanes].
    private void RunStaged(in RnnGradientTile<T> tile, int channels, T* scratch)
    {
        int lanes = tile.Lanes, steps = tile.Forward.Steps, gateRow = TCell.GateCount * lanes, stateRow = TCell.StateCount * lanes;
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
            Vectors = lanes / TSimd.Count,
        };
        copy.StateGradients = stateGradients;
        copy.GateGradients = gateGradients;
        RnnGradientKernels<TCell, TSimd, V, T>.Backward(copy);
        LaneCopy<TSimd, V, T>.Scatter(gateGradients, lanes, tile.GateGradients, forward.GateStep, forward.GateStride, TCell.GateCount, channels, steps);
    }

    // A window's gradients by the weights go to the sums in double.
    private void AddUp(in RnnGradientTile<T> tile, int channels, double* sums)
    {
        for (int weight = 0; weight < TCell.WeightCount; weight++)
        {
            T* window = tile.WeightGradients + weight * tile.Lanes;
            double* sum = sums + (long)weight * _strides.Channels;
            for (int channel = 0; channel < channels; channel++)
                sum[channel] += ComputeType.ToDouble(window[channel]);
        }
        new Span<T>(tile.WeightGradients, TCell.WeightCount * tile.Lanes).Clear();
    }
}
