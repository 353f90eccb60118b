using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Affine recurrences. Items are registers of channels of one sequence. Channels that fill a register run step after step; fewer share it with stretches of time: lane l is channel l % c of
/// stretch l / c. What is cut, and so every bit of the result, depends on the channel count and the length alone.
/// </summary>
internal readonly unsafe struct AffineScanJob<TBlock, TSimd, V, T>(AffineArrays<T> arrays) : IRangeJob
    where TBlock : struct, IBlockSize
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const int WindowSteps = RnnTuning.NewtonLaneSteps;

    private readonly AffineArrays<T> _arrays = arrays;
    private readonly RnnStrides _strides = RnnStrides.Of(arrays.Shape, arrays.Direction, TBlock.Size * TBlock.Size, TBlock.Size);

    private int GroupsPerSequence => (_arrays.Shape.ChannelCount + TSimd.Count - 1) / TSimd.Count;

    public long ItemCount => (long)_arrays.Shape.SequenceCount * GroupsPerSequence;

    private static int Size => TBlock.Size;

    private static int Width => TSimd.Count;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        T* scratch = stackalloc T[Width * (WindowSteps * (Size * Size + Size) + Size)];
        for (long item = begin; item < end; item++)
        {
            int sequence = (int)(item / GroupsPerSequence), channel = (int)(item % GroupsPerSequence) * Width;
            RunChannels(sequence, channel, Math.Min(Width, _arrays.Shape.ChannelCount - channel), scratch);
        }
    }

    private void RunChannels(int sequence, int channel, int channels, T* scratch)
    {
        T* matrices = scratch, vectors = matrices + WindowSteps * Size * Size * Width, starts = vectors + WindowSteps * Size * Width;
        new Span<T>(scratch, Width * (WindowSteps * (Size * Size + Size) + Size)).Clear();
        int length = _arrays.Lengths == null ? _arrays.Shape.StepCount : _arrays.Lengths[sequence];
        if (_arrays.InitialState != null)
            LaneCopy<TSimd, V, T>.Gather(_arrays.InitialState + ((long)sequence * Size * _strides.Channels + channel), 0, _strides.Channels, starts, Width, Size, channels, 1);
        for (int position = 0; position < length;)
        {
            int left = length - position, stretches = left < Width / channels ? 1 : Width / channels, steps = Math.Min(WindowSteps, left / stretches);
            for (int stretch = 0; stretch < stretches; stretch++)
                Load(sequence, length, position + stretch * steps, channel, channels, steps, matrices + stretch * channels, vectors + stretch * channels);
            if (stretches == 1)
                AffineKernels<TBlock, TSimd, V, T>.Follow(matrices, vectors, starts, steps);
            else
            {
                AffineKernels<TBlock, TSimd, V, T>.Compose(matrices, vectors, steps);
                AffineKernels<TBlock, TSimd, V, T>.Chain(matrices + (steps - 1) * Size * Size * Width, vectors + (steps - 1) * Size * Width, starts, channels);
                AffineKernels<TBlock, TSimd, V, T>.Apply(matrices, vectors, starts, steps);
            }
            for (int stretch = 0; stretch < stretches; stretch++)
            {
                LaneCopy<TSimd, V, T>.Scatter(
                    vectors + stretch * channels, Width, StateAt(_arrays.States, sequence, length, position + stretch * steps) + channel, _strides.StateStep, _strides.Channels, Size, channels, steps);
            }
            // The last stretch's last state begins the next window.
            T* last = vectors + (steps - 1) * Size * Width + (stretches - 1) * channels;
            for (int component = 0; component < Size; component++)
                new ReadOnlySpan<T>(last + component * Width, channels).CopyTo(new Span<T>(starts + component * Width, channels));
            position += stretches * steps;
        }
    }

    // Positions count in the direction of time.
    private T* StateAt(T* array, int sequence, int length, int position) =>
        array + sequence * _strides.StateSequence + TimeOf(length, position) * Math.Abs(_strides.StateStep);

    private long TimeOf(int length, int position) => _arrays.Direction == RnnDirection.Reverse ? length - 1 - position : position;

    private void Load(int sequence, int length, int position, int channel, int channels, int steps, T* matrices, T* vectors)
    {
        LaneCopy<TSimd, V, T>.Gather(StateAt(_arrays.Offsets, sequence, length, position) + channel, _strides.StateStep, _strides.Channels, vectors, Width, Size, channels, steps);
        T* first = _arrays.Matrices + sequence * _strides.GateSequence + channel;
        long step = Math.Abs(_strides.GateStep);
        if (!_arrays.IsTransposed)
        {
            LaneCopy<TSimd, V, T>.Gather(first + TimeOf(length, position) * step, _strides.GateStep, _strides.Channels, matrices, Width, Size * Size, channels, steps);
            return;
        }
        // The transposed matrix of the position before; none before the first.
        int without = position == 0 ? 1 : 0;
        for (int component = 0; component < Size * Size; component++)
        {
            int transposed = component % Size * Size + component / Size;
            for (int t = 0; t < steps; t++)
            {
                T* to = matrices + (t * Size * Size + component) * Width;
                if (t < without)
                    new Span<T>(to, channels).Clear();
                else
                    new ReadOnlySpan<T>(first + TimeOf(length, position + t - 1) * step + (long)transposed * _strides.Channels, channels).CopyTo(new Span<T>(to, channels));
            }
        }
    }
}
