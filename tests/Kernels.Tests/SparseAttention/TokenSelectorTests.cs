using Kernels.Cpu.Primitives;

namespace Kernels.Tests;

/// <summary>TokenSelect, SpAtten and heavy hitters against slow transcriptions of their formulas; exact selection against a sort.</summary>
public sealed class TokenSelectorTests
{
    private const int Tokens = 700, QueryHeads = 6, Heads = 2, Dimension = 20;

    private static readonly TokenSelectOptions s_few = new() { SinkTokens = 10, RecentTokens = 30, TopK = 50 };

    [Fact]
    public void SelectionEqualsASort()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            // Up to 2048 scores are ranked by counts, more by histograms.
            int most = round % 5 == 0 ? 5000 : 400, count = random.Next(1, most), wanted = random.Next(0, most + 20);
            float[] scores = [.. Enumerable.Range(0, count).Select(_ => round % 2 == 0 ? random.Next(-5, 5) * 0.5f : (float)random.NextDouble() - 0.5f)];
            if (round % 7 == 0)
                (scores[0], scores[count / 2]) = (float.NaN, float.PositiveInfinity);
            int[] expected = [.. Enumerable.Range(0, count).OrderByDescending(i => float.IsNaN(scores[i]) ? double.NegativeInfinity : scores[i]).ThenBy(i => i)
                .Take(wanted).Order()];
            var actual = new int[wanted];
            Assert.Equal(expected, actual[..TopKSelection.Select(scores, actual)]);
            float[] kept = [.. scores];
            TopKSelection.KeepLargest(kept, wanted);
            Assert.Equal(scores.Select((x, i) => expected.Contains(i) ? x : 0), kept);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void TokenSelectIsItsFormula(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out float[] keys);
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3, 0.5);
        foreach (bool highBits in new[] { false, true })
        {
            var select = new TokenSelect(s_few with { HighNibbles = highBits });
            int[] actual = select.Select(query, cache, sequence, kernel).ToArray();
            double[] votes = Votes(query, keys, highBits);
            int[] top = [.. Enumerable.Range(10, Tokens - 40).OrderByDescending(i => votes[i]).ThenBy(i => i).Take(50)];
            // Rounding may exchange tokens whose votes are equal to float's precision.
            double least = top.Min(i => votes[i]);
            Assert.Equal(90, actual.Length);
            Assert.Equal(Enumerable.Range(0, 10).Concat(Enumerable.Range(Tokens - 30, 30)), actual.Where(i => i < 10 || i >= Tokens - 30));
            Assert.All(actual.Where(i => i is >= 10 and < Tokens - 30), i => Assert.True(votes[i] >= least * (1 - 1e-5), $"{i}: {votes[i]} is below {least}"));
            Assert.Equal(actual.Order(), actual);
            AssertSelectedAttention(cache, sequence, keys, query, actual, select, kernel);
        }
    }

    private static void AssertSelectedAttention(KvCache cache, int sequence, float[] keys, float[] query, int[] positions, TokenSelect select,
        in KernelOptions kernel)
    {
        float[] output = new float[query.Length], values = Stored(cache, sequence).Values;
        SparseAttention.Decode(query, cache, sequence, output, select, new() { Kernel = kernel });
        var oracle = new SparseAttentionOracle(new(QueryHeads, Heads, Dimension), query, Element.ToDoubles<float>(keys), Element.ToDoubles<float>(values))
        {
            Bias = (_, _, key) => Array.BinarySearch(positions, key) >= 0 ? 0 : double.NegativeInfinity,
        };
        SparseAttentionCases.AssertClose(oracle.Run().Output, output, "attention over the selection");
        SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, "attention over the selection");
    }

    [Fact]
    public void SelectionIsReusedForQueriesAlike()
    {
        using KvCache cache = Filled(KeyValueType.Float16, out int sequence, out _);
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3), near = [.. query.Select((x, i) => x + 0.1f * (i % 3))],
            far = SparseAttentionCases.Normal(query.Length, 8);
        var select = new TokenSelect(s_few);
        int[] first = select.Select(query, cache, sequence, default).ToArray();
        Assert.Equal(first, select.Select(near, cache, sequence, default).ToArray());
        Assert.Equal(1, select.ScoredCount);
        Assert.NotEqual(first, select.Select(far, cache, sequence, default).ToArray());
        Assert.Equal(2, select.ScoredCount);
        // The mean of several queries counts.
        select.Reset();
        Assert.Equal(first, select.Select((float[])[.. query, .. query], cache, sequence, default).ToArray());
        Assert.True(new TokenSelect().Select(query, cache, sequence, default).IsEmpty); // 128 + 2048 + 512 are more than there are
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void KeepingAllIsDenseBitForBit(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out _);
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3), dense = new float[query.Length], actual = new float[query.Length];
        SparseAttention.Decode(query, cache, sequence, dense, null, new() { Kernel = kernel });
        int[] all = [.. Enumerable.Range(0, Tokens)];
        SparseAttention.Attend(query, cache, sequence, all, actual, QueryHeads, new() { Kernel = kernel });
        SparseAttentionCases.AssertSameBits(dense, actual, "every position selected");
        var hitters = new HeavyHitters(Tokens, 10);
        SparseAttention.Decode(query, cache, sequence, actual, hitters, new() { Kernel = kernel });
        SparseAttentionCases.AssertSameBits(dense, actual, "heavy hitters within the budget");
        Assert.Equal(0, hitters.Evict(cache, sequence));
        SparseAttention.Decode(query, cache, sequence, actual, new TokenSelect(s_few with { TopK = Tokens }), new() { Kernel = kernel });
        SparseAttentionCases.AssertSameBits(dense, actual, "TokenSelect of all");
    }

    [Fact]
    public void HeavyHittersKeepTheLargestSumsAndTheRecent()
    {
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out float[] keys);
        float[] values = Stored(cache, sequence).Values;
        var hitters = new HeavyHitters(100, 20);
        var shape = new AttentionShape(QueryHeads, Heads, Dimension);
        var sums = new double[Tokens];
        for (int step = 0; step < 3; step++)
        {
            float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 30 + step), output = new float[query.Length];
            SparseAttention.Decode(query, cache, sequence, output, hitters);
            double[] columns = new SparseAttentionOracle(shape, query, Element.ToDoubles<float>(keys), Element.ToDoubles<float>(values)).Run().ColumnSums;
            for (int i = 0; i < columns.Length; i++)
                sums[i % Tokens] += columns[i];
        }
        SparseAttentionCases.AssertClose(sums, hitters.Scores, "sums of probabilities");
        int[] kept = [.. Enumerable.Range(0, Tokens - 20).OrderByDescending(i => sums[i]).Take(100).Order(), .. Enumerable.Range(Tokens - 20, 20)];
        Assert.Equal(Tokens - 120, hitters.Evict(cache, sequence));
        (float[] keptKeys, _) = Stored(cache, sequence);
        Assert.Equal(kept.SelectMany(i => keys.Skip(i * Heads * Dimension).Take(Heads * Dimension)), keptKeys);
        // Another policy: the largest probability of any head.
        var largest = new HeavyHitters(10, 5, (probabilities, count, scores) =>
        {
            for (int i = 0; i < probabilities.Length; i++)
                scores[i % count] = Math.Max(scores[i % count], probabilities[i]);
        });
        SparseAttention.Decode(SparseAttentionCases.Normal(QueryHeads * Dimension, 5), cache, sequence, new float[QueryHeads * Dimension], largest);
        Assert.InRange(largest.Scores.ToArray().Max(), 0, 1);
        Assert.Equal(105, largest.Evict(cache, sequence));
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void SpAttenIsItsFormulas(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out float[] keys);
        float[] values = Stored(cache, sequence).Values;
        foreach (float threshold in new[] { 0f, 0.05f, 2f })
        {
            var state = new SpAttenState(QueryHeads, new SpAttenOptions { KeptValues = 40, RequantizationThreshold = threshold });
            state.AddTokens(0, Tokens);
            var transcription = new SpAttenTranscription(QueryHeads, Heads, Dimension, keys, values, Tokens);
            for (int layer = 0; layer < 3; layer++)
            {
                float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 50 + layer), output = new float[query.Length];
                state.Decode(query, cache, sequence, output, options: kernel);
                double[] expected = transcription.Decode(query, localValues: 40, threshold);
                SparseAttentionCases.AssertClose(expected, output, $"{variant}, threshold {threshold}, layer {layer}");
                SparseAttentionCases.AssertClose(transcription.Importance, state.TokenImportance, "importance of tokens");
                SparseAttentionCases.AssertClose(transcription.HeadImportance, [.. state.HeadImportance.ToArray().Select(x => (float)x)],
                    "importance of heads");
                state.PruneTokens(Tokens - 150 * (layer + 1));
                state.PruneHeads(QueryHeads - layer - 1);
                transcription.Prune(state.Tokens.Length, QueryHeads - layer - 1);
                Assert.Equal(transcription.Tokens, state.Tokens.ToArray());
                Assert.Equal(transcription.Heads, state.ActiveHeads.ToArray());
            }
        }
    }

    [Fact]
    public void SpAttenKeepsRecentTokensInAnyCase()
    {
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out _);
        var state = new SpAttenState(QueryHeads, new SpAttenOptions());
        state.AddTokens(0, Tokens);
        state.Decode(SparseAttentionCases.Normal(QueryHeads * Dimension, 60), cache, sequence, new float[QueryHeads * Dimension]);
        float[] importance = state.TokenImportance.ToArray();
        state.PruneTokens(100, recentTokens: 30);
        Assert.Equal([.. Enumerable.Range(0, Tokens - 30).OrderByDescending(i => importance[i]).Take(70).Order(), .. Enumerable.Range(Tokens - 30, 30)],
            state.Tokens.ToArray());
        Assert.Equal(state.Tokens.ToArray().Select(i => importance[i]), state.TokenImportance.ToArray());
        state.PruneTokens(20, recentTokens: 50);
        Assert.Equal(Enumerable.Range(Tokens - 20, 20), state.Tokens.ToArray());
        Assert.Equal("recentTokens", Assert.Throws<ArgumentOutOfRangeException>(() => state.PruneTokens(1, -1)).ParamName);
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void SpAttenKeepingAllIsDenseUpToRounding(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(KeyValueType.Float32, out int sequence, out float[] keys);
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3), output = new float[query.Length];
        var state = new SpAttenState(QueryHeads, new SpAttenOptions());
        state.AddTokens(0, Tokens);
        state.Decode(query, cache, sequence, output, options: kernel);
        SparseAttentionOracle dense = SparseAttentionCases.Oracle(new(QueryHeads, Heads, Dimension), query, keys, Stored(cache, sequence).Values).Run();
        SparseAttentionCases.AssertClose(dense.Output, output, variant);
        SparseAttentionCases.AssertAsGoodAsNaive(dense, output, variant);
        state.PruneTokens(Tokens);
        state.PruneHeads(QueryHeads);
        Assert.Equal(Enumerable.Range(0, Tokens), state.Tokens.ToArray());
        Assert.All(state.ActiveHeads.ToArray(), Assert.True);
    }

    private static KvCache Filled(KeyValueType type, out int sequence, out float[] keys)
    {
        var cache = new KvCache(new() { KeyValueHeads = Heads, HeadDimension = Dimension, PageSize = 16, PageCount = 60, Type = type, SplitNibbleKeys = true });
        sequence = cache.CreateSequence();
        cache.Append(sequence, SparseAttentionCases.Normal(Tokens * Heads * Dimension, 1), SparseAttentionCases.Normal(Tokens * Heads * Dimension, 2));
        keys = Stored(cache, sequence).Keys;
        return cache;
    }

    private static (float[] Keys, float[] Values) Stored(KvCache cache, int sequence)
    {
        const int row = Heads * Dimension;
        float[] keys = new float[cache.TokenCount(sequence) * row], values = new float[keys.Length];
        for (int i = 0; i < cache.TokenCount(sequence); i++)
            cache.Read(sequence, i, keys.AsSpan(i * row, row), values.AsSpan(i * row, row));
        return (keys, values);
    }

    // The sum over heads of each head's softmax over all tokens, without the factor 1 / sqrt(d).
    private static double[] Votes(float[] query, float[] keys, bool highBits)
    {
        var votes = new double[Tokens];
        for (int head = 0; head < QueryHeads; head++)
        {
            double[] p = SpAttenTranscription.Probabilities(query, keys, head, QueryHeads, Heads, Dimension, [.. Enumerable.Range(0, Tokens)], 1, highBits ? 4
                : 0);
            for (int i = 0; i < Tokens; i++)
                votes[i] += p[i];
        }
        return votes;
    }
}
