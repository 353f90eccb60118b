using Kernels.Core.Checks;
using Kernels.Core.ParaRnn;

namespace Kernels;

/// <summary>How an affine recurrence is to be run. The default value starts from zero states, forward.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly ref struct AffineScanOptions<T> where T : unmanaged
{
    /// <summary>The direction of time.</summary>
    public RnnDirection Direction { get; init; }

    /// <summary>h[-1], [sequences, block, channels]; empty (the default) for zeros.</summary>
    public ReadOnlySpan<T> InitialState { get; init; }

    /// <summary>The steps of each sequence; empty (the default) for full length. States beyond are written as zeros.</summary>
    public ReadOnlySpan<int> Lengths { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}

/// <summary>An affine recurrence with every argument checked.</summary>
internal readonly ref struct AffineScanProblem<T> where T : unmanaged
{
    public readonly RnnShape Shape;
    public readonly int BlockSize;
    public readonly ReadOnlySpan<T> Matrices;
    public readonly ReadOnlySpan<T> Offsets;
    public readonly Span<T> States;
    public readonly AffineScanOptions<T> Options;

    public AffineScanProblem(ReadOnlySpan<T> matrices, ReadOnlySpan<T> offsets, Span<T> states, in RnnShape shape, int blockSize, AffineScanOptions<T> options)
    {
        RnnChecks.Element<T>();
        RnnChecks.Shape(shape, nameof(shape));
        if (blockSize is < 1 or > RnnChecks.MaxStateCount)
            throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, $"blocks of 1 to {RnnChecks.MaxStateCount} rows are supported");
        Check.Exactly(matrices.Length, shape.Elements(blockSize * blockSize), nameof(matrices));
        Check.Exactly(offsets.Length, shape.Elements(blockSize), nameof(offsets));
        states = Check.Written(states, offsets.Length, nameof(states));
        Check.Defined(options.Direction, nameof(options.Direction));
        Check.ExactlyOrEmpty(options.InitialState.Length, (long)shape.SequenceCount * blockSize * shape.ChannelCount, nameof(options.InitialState));
        RnnChecks.Lengths(options.Lengths, shape, nameof(options.Lengths));
        Check.Kernel(options.Kernel);
        Check.Disjoint(matrices, states, nameof(matrices), nameof(states));
        Check.Disjoint(offsets, states, nameof(offsets), nameof(states));
        Check.Disjoint(options.InitialState, states, nameof(options.InitialState), nameof(states));
        Shape = shape;
        BlockSize = blockSize;
        Matrices = matrices;
        Offsets = offsets;
        States = states;
        Options = options;
    }
}

/// <summary>What a backend sees of an affine recurrence.</summary>
internal unsafe struct AffineArrays<T> where T : unmanaged
{
    public RnnShape Shape;
    public RnnDirection Direction;
    public int BlockSize;

    /// <summary>
    /// Whether a step applies the transposed matrix of the step before it in time's direction: the scan of a gradient. The first step's matrix is then not
    /// used.
    /// </summary>
    public bool IsTransposed;
    public T* Matrices;
    public T* Offsets;
    public T* States;
    public T* InitialState;
    public int* Lengths;
}
