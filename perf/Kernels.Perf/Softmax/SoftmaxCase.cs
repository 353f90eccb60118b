namespace Kernels.Perf;

/// <summary>Rows of logits and what is done to them.</summary>
/// <param name="Name">For reports.</param>
/// <param name="RowCount">The number of rows.</param>
/// <param name="RowLength">The number of logits of a row.</param>
internal sealed record SoftmaxCase(string Name, int RowCount, int RowLength)
{
    /// <summary>Factor of every logit.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The number of queries of one causal attention matrix; 0: every position takes part.</summary>
    public int CausalQueryCount { get; init; }

    /// <summary>Whether to cycle through as many buffers as it takes to exceed the last-level cache.</summary>
    public bool ExceedsCache { get; init; }

    public int ElementCount => RowCount * RowLength;

    /// <summary>The number of leading positions of a row that take part (query q sees keys up to q + keys - queries).</summary>
    public int VisibleLength(int row) =>
        CausalQueryCount == 0 ? RowLength : Math.Clamp(row % CausalQueryCount + 1 + RowLength - CausalQueryCount, 0, RowLength);

    public long VisibleCount => Enumerable.Range(0, RowCount).Sum(row => (long)VisibleLength(row));

    public SoftmaxOptions<T> Options<T>(string? variant, int threads) where T : unmanaged => new()
    {
        Scale = Scale,
        Causal = CausalQueryCount > 0,
        CausalQueryCount = CausalQueryCount,
        Kernel = new KernelOptions { Variant = variant, MaxDegreeOfParallelism = threads },
    };
}
