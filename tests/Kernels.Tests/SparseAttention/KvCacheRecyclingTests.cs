namespace Kernels.Tests;

/// <summary>
/// What stays in pages that were freed, in places behind a sequence's last token and in tokens that were evicted has no influence, be it no number.
/// </summary>
public sealed class KvCacheRecyclingTests
{
    private const int Heads = 2, QueryHeads = 6, Dimension = 20, Pages = 8, Tokens = 60;

    public static TheoryData<string, KeyValueType> Variants
    {
        get
        {
            var data = new TheoryData<string, KeyValueType>();
            foreach (string name in SparseAttentionCases.Names)
            {
                foreach (KeyValueType type in Enum.GetValues<KeyValueType>())
                    data.Add(name, type);
            }
            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RecycledPagesAreAsNew(string variant, KeyValueType type)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant, type);
        using KvCache clean = Make(type), dirty = Make(type);
        int expected = clean.CreateSequence(), actual = Recycled(dirty);
        float[] keys = SparseAttentionCases.Normal(Tokens * Heads * Dimension, 1), values = SparseAttentionCases.Normal(Tokens * Heads * Dimension, 2);
        clean.Append(expected, keys, values);
        dirty.Append(actual, keys, values);
        AssertSame(clean, expected, dirty, actual, kernel, "recycled pages");
        // Tokens behind the end, and between those that stay.
        float[] bad = [.. Enumerable.Repeat(float.NaN, 3 * Heads * Dimension)];
        dirty.Append(actual, bad, bad);
        dirty.Truncate(actual, Tokens);
        AssertSame(clean, expected, dirty, actual, kernel, "taken back");
        dirty.Truncate(actual, 10);
        dirty.Append(actual, bad, bad);
        dirty.Append(actual, keys.AsSpan(10 * Heads * Dimension), values.AsSpan(10 * Heads * Dimension));
        dirty.Keep(actual, [.. Enumerable.Range(0, Tokens + 3).Where(token => token is < 10 or >= 13)]);
        AssertSame(clean, expected, dirty, actual, kernel, "evicted");
        // A fork copies no more of a page than there is.
        int fork = dirty.Fork(actual);
        clean.Append(expected, keys.AsSpan(0, Heads * Dimension), values.AsSpan(0, Heads * Dimension));
        dirty.Append(fork, keys.AsSpan(0, Heads * Dimension), values.AsSpan(0, Heads * Dimension));
        AssertSame(clean, expected, dirty, fork, kernel, "forked");
    }

    private static KvCache Make(KeyValueType type) =>
        new(new() { KeyValueHeads = Heads, HeadDimension = Dimension, PageCount = Pages, Type = type, SplitNibbleKeys = true });

    // A new sequence, all pages of whose cache hold NaN and infinities.
    private static int Recycled(KvCache cache)
    {
        int sequence = cache.CreateSequence();
        float[] bad = new float[Pages * KvCacheOptions.DefaultPageSize * Heads * Dimension];
        for (int i = 0; i < bad.Length; i++)
            bad[i] = (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
        cache.Append(sequence, bad, bad);
        Assert.Equal(0, cache.FreePageCount);
        cache.Release(sequence);
        return cache.CreateSequence();
    }

    private static void AssertSame(KvCache clean, int expected, KvCache dirty, int actual, in KernelOptions kernel, string what)
    {
        int tokens = clean.TokenCount(expected);
        Assert.Equal(tokens, dirty.TokenCount(actual));
        int[] positions = [.. Enumerable.Range(0, tokens).Where(token => token % 3 == 1)];
        foreach (int queryCount in new[] { 1, 2, 40 })
        {
            foreach (int[] selected in new[] { [], positions })
            {
                (float[] output, float[] sums, float[] columns) = Attend(clean, expected, selected, queryCount, kernel);
                (float[] dirtyOutput, float[] dirtySums, float[] dirtyColumns) = Attend(dirty, actual, selected, queryCount, kernel);
                SparseAttentionCases.AssertSameBits(output, dirtyOutput, $"{what}, {queryCount} queries");
                SparseAttentionCases.AssertSameBits(sums, dirtySums, $"{what}, {queryCount} queries, log-sum-exp");
                SparseAttentionCases.AssertSameBits(columns, dirtyColumns, $"{what}, {queryCount} queries, column sums");
                Assert.All(output, x => Assert.True(float.IsFinite(x)));
            }
        }
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3, 0.5);
        foreach (bool highBits in new[] { false, true })
        {
            var options = new TokenSelectOptions { SinkTokens = 2, RecentTokens = 3, TopK = 10, HighNibbles = highBits };
            Assert.Equal(new TokenSelect(options).Select(query, clean, expected, kernel).ToArray(), new TokenSelect(options)
                .Select(query, dirty, actual, kernel).ToArray());
        }
        // From the high bits alone, and from all eight.
        foreach (float threshold in new[] { 1e-30f, 2f })
        {
            SpAttenState one = new(QueryHeads, new() { RequantizationThreshold = threshold }),
                other = new(QueryHeads, new() { RequantizationThreshold = threshold });
            float[] output = new float[query.Length], dirtyOutput = new float[query.Length];
            one.AddTokens(0, tokens);
            other.AddTokens(0, tokens);
            one.Decode(query, clean, expected, output, 0, kernel);
            other.Decode(query, dirty, actual, dirtyOutput, 0, kernel);
            SparseAttentionCases.AssertSameBits(output, dirtyOutput, $"{what}, SpAtten, threshold {threshold}");
            SparseAttentionCases.AssertSameBits(one.TokenImportance, other.TokenImportance, $"{what}, importance, threshold {threshold}");
        }
    }

    private static (float[] Output, float[] LogSumExp, float[] ColumnSums) Attend(KvCache cache, int sequence, int[] positions, int queryCount,
        in KernelOptions kernel)
    {
        int keys = positions.Length == 0 ? cache.TokenCount(sequence) : positions.Length;
        float[] queries = SparseAttentionCases.Normal(queryCount * QueryHeads * Dimension, 7), output = new float[queries.Length],
            sums = new float[queryCount * QueryHeads], columns = new float[QueryHeads * keys];
        SparseAttention.Attend(queries, cache, sequence, positions, output, QueryHeads, new() { LogSumExp = sums, ColumnSums = columns, Kernel = kernel });
        return (output, sums, columns);
    }
}
