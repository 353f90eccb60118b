namespace TinyLlama;

/// <summary>Which tokens are attended to.</summary>
internal enum AttentionKind
{
    /// <summary>All of them.</summary>
    Dense,

    /// <summary>The first, the last, and those that all heads together vote for (arXiv 2411.02886).</summary>
    TokenSelect,

    /// <summary>Those that were important to layers and steps before; the others are pruned for good, heads too (SpAtten, arXiv 2012.09852).</summary>
    SpAtten,

    /// <summary>The last and those with the largest sums of probabilities; the others are evicted from the cache (arXiv 2306.14048).</summary>
    H2O,

    /// <summary>Blocks of keys whose means the query likes best (InfLLM v2, arXiv 2509.24663).</summary>
    BlockSparse,
}
