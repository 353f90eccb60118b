namespace Kernels;

/// <summary>How a softmax is to be computed. The default value is the plain softmax.</summary>
/// <remarks>
/// A logit x becomes, each step rounded to the compute type (float for Half, BrainFloat16 and float; double for double):
/// <c>z = Scale x</c>; with a soft cap <c>z = SoftCap tanh(z / SoftCap)</c>; with a mask <c>z = z + AdditiveMask</c>; and minus infinity where
/// <see cref="BooleanMask"/> is false. Positions at or beyond the row's length (<see cref="RowLengths"/>, <see cref="Causal"/>) are left out of the row
/// altogether: whatever stands there, NaN included, has no influence.
/// </remarks>
/// <typeparam name="T">The element type: <see cref="float"/>, <see cref="double"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>.</typeparam>
public readonly ref struct SoftmaxOptions<T> where T : unmanaged
{
    private readonly double? _scale;

    /// <summary>Factor of every logit: 1 / temperature. Any number that is finite in the compute type; 1 by default.</summary>
    public double Scale
    {
        get => _scale ?? 1;
        init => _scale = value;
    }

    /// <summary>Bound c of the capped logit c tanh(z / c); above 0 and finite in the compute type, or 0 (the default) for none.</summary>
    public double SoftCap { get; init; }

    /// <summary>Added to the logits: as many elements as the logits, or one row of them, which then serves every row. Empty (the default) for none.</summary>
    public ReadOnlySpan<T> AdditiveMask { get; init; }

    /// <summary>True where a position takes part: as many elements as the logits, or one row of them. Empty (the default) for all true.</summary>
    public ReadOnlySpan<bool> BooleanMask { get; init; }

    /// <summary>
    /// The number of leading positions that take part in each row, 0 to the row length; one for each row. Empty (the default) for whole rows.
    /// </summary>
    public ReadOnlySpan<int> RowLengths { get; init; }

    /// <summary>
    /// Rows are queries and positions are keys: query q of <see cref="CausalQueryCount"/> sees the keys 0 to q + (keys - queries), that is, the mask is
    /// aligned to the bottom right corner. Combines with <see cref="RowLengths"/> by the smaller length.
    /// </summary>
    public bool Causal { get; init; }

    /// <summary>
    /// The number of queries of one attention matrix, when the rows are several matrices one after another; 0 (the default): all rows are one matrix.
    /// </summary>
    public int CausalQueryCount { get; init; }

    /// <summary>
    /// What a fully masked row (every logit minus infinity, or length 0) becomes: zeros if true (minus infinity for the log-softmax), NaN if false, the
    /// default, as IEEE arithmetic and torch.softmax have it. Rows with NaN or plus infinity are NaN in both modes.
    /// </summary>
    public bool Safe { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
