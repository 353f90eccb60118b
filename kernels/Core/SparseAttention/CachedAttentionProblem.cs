using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>Attention over sequences of a cache, with every argument checked.</summary>
internal readonly ref struct CachedAttentionProblem
{
    public readonly AttentionShape Shape;
    public readonly int QueryCount;

    /// <summary>The keys of all sequences, after selection; and the tokens of a single sequence before it.</summary>
    public readonly int KeyCount;
    public readonly int TokenCount;
    public readonly Span<float> Output;
    private readonly KvCache _cache;
    private readonly ReadOnlySpan<int> _sequences;
    private readonly ReadOnlySpan<int> _queryOffsets;
    private readonly int _positionCount;

    public CachedAttentionProblem(
        ReadOnlySpan<float> queries, KvCache cache, ReadOnlySpan<int> sequences, ReadOnlySpan<int> positions, Span<float> output, int queryHeads,
        in AttentionOptions options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Shape = new AttentionShape(queryHeads, cache.Options.KeyValueHeads, cache.Options.HeadDimension);
        Shape.Check(nameof(queryHeads));
        QueryCount = Check.Rows(queries.Length, Shape.QueryRowLength, nameof(queries));
        TokenCount = CountTokens(cache, sequences);
        TokenPositions.Check(positions, TokenCount, nameof(positions));
        KeyCount = positions.IsEmpty ? TokenCount : positions.Length;
        Output = Check.Written(output, queries.Length, nameof(output));
        AttentionChecks.Scalars(options);
        CheckOffsets(sequences.Length, options);
        // Masks are for all tokens, column sums for those that are attended to.
        AttentionChecks.Extents(options with { ColumnSums = default }, Shape, QueryCount, TokenCount, sequences.Length);
        if (!options.ColumnSums.IsEmpty)
            Check.AtLeast(options.ColumnSums.Length, (long)queryHeads * KeyCount, nameof(options.ColumnSums));
        Check.Disjoint(queries, Output, nameof(queries), nameof(output));
        Check.Disjoint(Output, options.LogSumExp, nameof(output), nameof(options.LogSumExp));
        Check.Disjoint(Output, options.ColumnSums, nameof(output), nameof(options.ColumnSums));
        _cache = cache;
        _sequences = sequences;
        _queryOffsets = options.QueryOffsets;
        _positionCount = positions.Length;
    }

    /// <param name="sequences">Receives one for each sequence.</param>
    /// <param name="positions">The pinned positions of a single sequence; not looked at if there are none.</param>
    public unsafe void Describe(Span<AttentionSequence> sequences, int* positions)
    {
        int keyBegin = 0, share = _sequences.Length == 0 ? 0 : QueryCount / _sequences.Length;
        for (int i = 0; i < sequences.Length; i++)
        {
            KvSequence sequence = _cache.Find(_sequences[i]);
            int queryBegin = _queryOffsets.IsEmpty ? i * share : _queryOffsets[i], queryEnd = _queryOffsets.IsEmpty ? queryBegin + share : _queryOffsets[i + 1];
            fixed (int* table = sequence.Table)
            {
                // Tables of pages are pinned for good.
                sequences[i] = new AttentionSequence
                {
                    QueryBegin = queryBegin,
                    QueryCount = queryEnd - queryBegin,
                    KeyBegin = keyBegin,
                    KeyCount = _positionCount == 0 ? sequence.TokenCount : _positionCount,
                    Length = sequence.TokenCount,
                    PageTable = table,
                    Positions = _positionCount == 0 ? null : positions,
                };
            }
            keyBegin += sequence.TokenCount;
        }
    }

    private static int CountTokens(KvCache cache, ReadOnlySpan<int> sequences)
    {
        long count = 0;
        foreach (int sequence in sequences)
            count += cache.TokenCount(sequence);
        return count <= int.MaxValue
            ? (int)count
            : throw new ArgumentException($"{count} tokens of all sequences together are more than 31 bits count", nameof(sequences));
    }

    private void CheckOffsets(int sequenceCount, in AttentionOptions options)
    {
        AttentionChecks.Offsets(options.QueryOffsets, QueryCount, nameof(options.QueryOffsets));
        if (!options.KeyOffsets.IsEmpty)
            throw new ArgumentException("the cache knows where its sequences' keys are", nameof(options.KeyOffsets));
        if (options.SharedPrefix)
            throw new ArgumentException("sequences of a cache share a prefix by being forked", nameof(options.SharedPrefix));
        if (options.QueryOffsets.IsEmpty ? sequenceCount == 0 ? QueryCount > 0 : QueryCount % sequenceCount != 0 : options.QueryOffsets.Length != sequenceCount
            + 1)
            throw new ArgumentException($"{QueryCount} queries cannot be divided among {sequenceCount} sequences", nameof(options.QueryOffsets));
    }
}
