using ILGPU;

namespace Kernels.Gpu;

/// <summary>What kernels are told about a batch of sequences: counts, and how far steps and sequences of an array of one component stand apart.</summary>
internal readonly struct RnnGpuShape(in RnnShape shape, RnnDirection direction)
{
    public readonly int SequenceCount = shape.SequenceCount, StepCount = shape.StepCount, ChannelCount = shape.ChannelCount;

    private readonly long _step = shape.StepStride(1), _sequence = shape.SequenceStride(1);

    private readonly int _isReverse = direction == RnnDirection.Reverse ? 1 : 0;

    /// <summary>The place of the first component of a channel; the next ones follow <see cref="ChannelCount"/> further each.</summary>
    public long Place(int components, int sequence, int step, int channel) => components * (sequence * _sequence + step * _step) + channel;

    /// <summary>The step that is the i-th in the direction of time.</summary>
    public int Step(int i, int length) => _isReverse != 0 ? length - 1 - i : i;
}

/// <summary>
/// What ILGPU compiles of ParaRNN: step after step, a thread for each channel of each sequence, so that neighbouring threads read neighbouring channels.
/// </summary>
internal static class RnnGpuKernels
{
    /// <summary>All states of one channel of one sequence.</summary>
    /// <param name="thread">channel + channels sequence.</param>
    /// <param name="gates">Gate inputs, by <see cref="RnnShape"/>.</param>
    /// <param name="weights">[weights, channels].</param>
    /// <param name="initial">[sequences, components, channels], or empty for zeros.</param>
    /// <param name="lengths">[sequences], or empty for full length.</param>
    /// <param name="resets">[sequences, steps], or empty for none; 1 where a step begins anew.</param>
    /// <param name="states">Receives all states; zeros beyond a length.</param>
    /// <param name="final">Receives [sequences, components, channels], or empty.</param>
    /// <param name="shape">The sizes.</param>
    public static void Forward<TCell>(
        Index1D thread, ArrayView<float> gates, ArrayView<float> weights, ArrayView<float> initial, ArrayView<int> lengths, ArrayView<byte> resets,
        ArrayView<float> states,
        ArrayView<float> final, RnnGpuShape shape)
        where TCell : struct, IRnnGpuCell
    {
        int channel = thread % shape.ChannelCount, sequence = thread / shape.ChannelCount, length = lengths.Length == 0 ? shape.StepCount : lengths[sequence];
        long boundary = (long)sequence * TCell.StateCount * shape.ChannelCount + channel;
        var own = new RnnGpuWeights(weights, channel, shape.ChannelCount, TCell.WeightCount);
        Float4 state = initial.Length == 0 ? default : Load(initial, boundary, shape.ChannelCount, TCell.StateCount);
        for (int i = 0; i < length; i++)
        {
            int step = shape.Step(i, length);
            if (resets.Length != 0 && resets[(long)sequence * shape.StepCount + step] != 0)
                state = default;
            state = TCell.Step(Load(gates, shape.Place(TCell.GateCount, sequence, step, channel), shape.ChannelCount, TCell.GateCount), own, state);
            Store(state, states, shape.Place(TCell.StateCount, sequence, step, channel), shape.ChannelCount, TCell.StateCount);
        }
        for (int step = length; step < shape.StepCount; step++)
            Store(default, states, shape.Place(TCell.StateCount, sequence, step, channel), shape.ChannelCount, TCell.StateCount);
        if (final.Length != 0)
            Store(state, final, boundary, shape.ChannelCount, TCell.StateCount);
    }

    private static Float4 Load(ArrayView<float> source, long place, int stride, int count) =>
        new(source[place], count > 1 ? source[place + stride] : 0f, count > 2 ? source[place + 2L * stride] : 0f, 0f);

    private static void Store(Float4 state, ArrayView<float> destination, long place, int stride, int count)
    {
        destination[place] = state.X;
        if (count > 1)
            destination[place + stride] = state.Y;
    }
}
