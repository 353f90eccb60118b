namespace Kernels;

/// <summary>How attention is to be computed. The default value is plain attention of one sequence, every query to every key.</summary>
/// <remarks>
/// The logit of query i and key j is <c>Scale (q_i k_j)</c>; with a soft cap c it becomes <c>c tanh(logit / c)</c>; then the ALiBi term and the additive mask
/// are added. A pair takes part where <see cref="Causal"/>, <see cref="Window"/>, <see cref="SinkTokens"/>, <see cref="BooleanMask"/>, <see cref="BlockMask"/>
/// and the additive mask (minus infinity, or below -2^21, excludes) all let it; whatever stands at other positions, NaN included, has no influence. M queries
/// and N keys are aligned at the bottom right: query i stands at position i + N - M. An additive mask below -2^21 excludes as minus infinity does, finite or
/// not: whatever the pair's product is.
/// </remarks>
public readonly ref struct AttentionOptions
{
    /// <summary>Factor of the products q k; finite as a float; null (the default) for 1 / sqrt(head dimension).</summary>
    public double? Scale { get; init; }

    /// <summary>Bound of the capped logits; above 0 and finite as a float, or 0 (the default) for none.</summary>
    public double SoftCap { get; init; }

    /// <summary>
    /// A query sees keys up to its own position: query i of M the keys 0 to i + N - M of N, aligned at the bottom right. torch's <c>is_causal</c> and ONNX's
    /// Attention align at the top left, which differs where M and N do.
    /// </summary>
    public bool Causal { get; init; }

    /// <summary>A query sees keys less than this many positions away, its own included; 0 (the default) for no limit, where ONNX Runtime says -1.</summary>
    public int Window { get; init; }

    /// <summary>The number of leading keys that a window hides from no query, on neither side; <see cref="Causal"/> still does.</summary>
    public int SinkTokens { get; init; }

    /// <summary>One slope s for each query head: s |position of query - position of key| is subtracted from the logits. Empty (the default) for none.</summary>
    public ReadOnlySpan<float> AlibiSlopes { get; init; }

    /// <summary>
    /// Added to the logits: [M, N], or [query heads, M, N]; one sequence only. Below -2^21 (minus infinity, -1e9, <see cref="float.MinValue"/>) it leaves the
    /// pair out. Empty (the default) for none.
    /// </summary>
    public ReadOnlySpan<float> AdditiveMask { get; init; }

    /// <summary>True where a pair takes part: [M, N], or [query heads, M, N]; one sequence only. Empty (the default) for all.</summary>
    public ReadOnlySpan<bool> BooleanMask { get; init; }

    /// <summary>The blocks of pairs that take part; one sequence only. Tiles without a block are skipped. Null (the default) for all.</summary>
    public BlockMask? BlockMask { get; init; }

    /// <summary>Where each sequence's queries begin, and where the last one's end. Empty (the default): all queries are one sequence.</summary>
    public ReadOnlySpan<int> QueryOffsets { get; init; }

    /// <summary>Where each sequence's keys begin, and where the last one's end; as many as <see cref="QueryOffsets"/>.</summary>
    public ReadOnlySpan<int> KeyOffsets { get; init; }

    /// <summary>
    /// The first sequence's keys also precede the keys of every other sequence, as if they were repeated before each of them (Prefix Grouper).
    /// </summary>
    public bool SharedPrefix { get; init; }

    /// <summary>
    /// Receives the natural logarithm of the sum of exponentials: [M, query heads]. Minus infinity where no key takes part. Empty (the default) for none.
    /// </summary>
    public Span<float> LogSumExp { get; init; }

    /// <summary>
    /// Receives for each query head and key the sum of its probabilities over the queries: [query heads, N], N counting the keys of all sequences. Scores are
    /// computed again from the packed keys where there are several queries, and never stored. Empty (the default) for none.
    /// </summary>
    public Span<float> ColumnSums { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
