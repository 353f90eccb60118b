namespace Kernels.Tests;

/// <summary>What selectors keep from step to step: observed selections, scores that are not finite, sequences that shrank, defaults.</summary>
public sealed class TokenSelectorStateTests
{
    private const int Tokens = 300, QueryHeads = 6, Heads = 2, Dimension = 20, RowLength = Heads * Dimension;

    private static readonly AttentionShape s_shape = new(QueryHeads, Heads, Dimension);
    private static readonly TokenSelectOptions s_few = new() { SinkTokens = 10, RecentTokens = 30, TopK = 50 };
    private static readonly float[] s_query = SparseAttentionCases.Normal(QueryHeads * Dimension, 3, 0.5);

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void ColumnSumsAreOfTheSelectedTokens(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(out int sequence, out float[] keys, out float[] values);
        foreach (int[] positions in new int[][] { [1, 5, 20, 50, 99], [299], [.. Enumerable.Range(0, Tokens).Where(i => i % 2 == 0)] })
        {
            foreach (int queryCount in new[] { 1, 3, 40 })
            {
                float[] queries = SparseAttentionCases.Normal(queryCount * QueryHeads * Dimension, 3), output = new float[queries.Length];
                // As many as are needed, and some that must stay.
                float[] sums = [.. Enumerable.Repeat(42f, QueryHeads * positions.Length + 7)];
                SparseAttention.Attend(queries, cache, sequence, positions, output, QueryHeads, new() { ColumnSums = sums, Kernel = kernel });
                Assert.All(sums[^7..], x => Assert.Equal(42, x));
                SparseAttentionOracle oracle = Selected(queries, keys, values, positions);
                SparseAttentionCases.AssertClose(oracle.Output, output, $"{positions.Length} tokens, {queryCount} queries");
                double[] expected = [.. Enumerable.Range(0, QueryHeads)
                    .SelectMany(head => positions.Select(token => oracle.ColumnSums[head * Tokens + token]))];
                SparseAttentionCases.AssertClose(expected, sums.AsSpan(0, expected.Length), $"{positions.Length} tokens, {queryCount} queries, column sums");
            }
        }
        Assert.Equal("ColumnSums", Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.Attend(s_query, cache, sequence, [1, 2], new float[s_query.Length], QueryHeads,
            new() { ColumnSums = new float[2 * QueryHeads - 1] })).ParamName);
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void ASelectorMaySelectAndObserve(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(out int sequence, out float[] keys, out float[] values);
        var selector = new ObservingSelector([2, 3, 77, 150, 298]);
        float[] output = new float[s_query.Length];
        SparseAttention.Decode(s_query, cache, sequence, output, selector, new() { Kernel = kernel });
        SparseAttentionOracle oracle = Selected(s_query, keys, values, selector.Positions);
        SparseAttentionCases.AssertClose(oracle.Output, output, variant);
        double[] expected = [.. Enumerable.Range(0, QueryHeads)
            .SelectMany(head => selector.Positions.Select(token => oracle.ColumnSums[head * Tokens + token]))];
        SparseAttentionCases.AssertClose(expected, selector.Probabilities, $"{variant}, probabilities");
        Assert.Equal(5, selector.TokenCount);
        // Heavy hitters score all tokens: a part of them is refused, and leaves the scores alone.
        var hitters = new HeavyHitters(10, 5);
        Assert.Equal("positions", Assert.ThrowsAny<ArgumentException>(() => hitters.Observe([1, 2], new float[2], 2)).ParamName);
        Assert.True(hitters.Scores.IsEmpty);
    }

    [Fact]
    public void OptionsThatTheCacheRefusesAreRefusedWithSelectorsToo()
    {
        using KvCache cache = Filled(out int sequence, out _, out _);
        float[] output = [.. Enumerable.Repeat(42f, s_query.Length)];
        foreach (ITokenSelector? selector in new ITokenSelector?[] { null, new TokenSelect(s_few), new HeavyHitters(5, 5) })
        {
            Assert.Equal("SharedPrefix", Assert.ThrowsAny<ArgumentException>(() =>
                SparseAttention.Decode(s_query, cache, sequence, output, selector, new() { SharedPrefix = true })).ParamName);
            Assert.Equal("KeyOffsets", Assert.ThrowsAny<ArgumentException>(() =>
                SparseAttention.Decode(s_query, cache, sequence, output, selector, new() { KeyOffsets = [0, Tokens] })).ParamName);
            Assert.Equal("QueryOffsets", Assert.ThrowsAny<ArgumentException>(() =>
                SparseAttention.Decode(s_query, cache, sequence, output, selector, new() { QueryOffsets = [0, 1, 1] })).ParamName);
            Assert.Equal("queries", Assert.ThrowsAny<ArgumentException>(() =>
                SparseAttention.Decode(s_query.AsSpan(Dimension), cache, sequence, output, selector)).ParamName);
            Assert.Equal("queries", Assert.ThrowsAny<ArgumentException>(() => SparseAttention.Decode([], cache, sequence, output, selector)).ParamName);
        }
        Assert.All(output, x => Assert.Equal(42, x));
    }

    public static TheoryData<string, float> BadKeys
    {
        get
        {
            // The last is finite, and its logits are beyond 2^21.
            var data = new TheoryData<string, float>();
            foreach (string name in SparseAttentionCases.Names)
            {
                foreach (float key in new[] { float.NaN, float.PositiveInfinity, 1e12f })
                    data.Add(name, key);
            }
            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(BadKeys))]
    public void ScoresThatAreNotFiniteAreLoud(string variant, float bad)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        using KvCache cache = Filled(out int sequence, out _, out _);
        float[] query = [.. s_query.Select(MathF.Abs)], output = new float[query.Length];
        var hitters = new HeavyHitters(10, 5);
        TokenSelect select = new(s_few), highBits = new(s_few with { HighNibbles = true, ReuseCosine = 2 });
        var state = new SpAttenState(QueryHeads);
        state.AddTokens(0, Tokens);
        SparseAttention.Decode(query, cache, sequence, output, hitters, new() { Kernel = kernel });
        int[] selected = select.Select(query, cache, sequence, kernel).ToArray();
        state.Decode(query, cache, sequence, output, options: kernel);
        float[] scores = hitters.Scores.ToArray(), importance = state.TokenImportance.ToArray();
        double[] heads = state.HeadImportance.ToArray();

        float[] key = new float[RowLength];
        key[0] = key[Dimension] = bad;
        cache.Append(sequence, key, new float[RowLength]);
        state.AddTokens(Tokens, 1);
        output.AsSpan().Fill(42);
        select.Reset();
        Assert.Throws<NotFiniteNumberException>(() => SparseAttention.Decode(query, cache, sequence, output, select, new() { Kernel = kernel }));
        Assert.Throws<NotFiniteNumberException>(() => state.Decode(query, cache, sequence, output, options: kernel));
        if (!float.IsFinite(bad))
            Assert.Throws<NotFiniteNumberException>(() => SparseAttention.Decode(query, cache, sequence, output, highBits, new() { Kernel = kernel }));
        Assert.All(output, x => Assert.Equal(42, x));
        Assert.Equal([.. importance, 0], state.TokenImportance.ToArray());
        Assert.Equal(heads, state.HeadImportance.ToArray());
        // One that observes can only tell afterwards: the output shows it, the scores do not.
        Assert.Throws<NotFiniteNumberException>(() => SparseAttention.Decode(query, cache, sequence, output, hitters, new() { Kernel = kernel }));
        Assert.All(output, x => Assert.Equal(float.NaN, x));
        Assert.Equal(scores, hitters.Scores.ToArray());

        // Without that token all go on.
        hitters.Truncate(cache, sequence, Tokens);
        state.Truncate(Tokens);
        SparseAttention.Decode(query, cache, sequence, output, hitters, new() { Kernel = kernel });
        SparseAttentionCases.AssertClose(scores.Select(x => 2.0 * x).ToArray(), hitters.Scores, "twice the same step");
        Assert.Equal(selected, select.Select(query, cache, sequence, kernel).ToArray());
        state.Decode(query, cache, sequence, output, options: kernel);
        Assert.All(output, x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void SpAttenCountsNoStepThatIsNotFinite()
    {
        using KvCache cache = Filled(out int sequence, out _, out _);
        var state = new SpAttenState(QueryHeads);
        state.AddTokens(0, Tokens);
        float[] output = new float[s_query.Length], outputs = new float[s_query.Length], columns = new float[QueryHeads * Tokens];
        // A value shows in the output only.
        float[] value = new float[RowLength];
        value[^1] = float.NaN;
        cache.Append(sequence, new float[RowLength], value);
        state.AddTokens(Tokens, 1);
        Assert.Throws<NotFiniteNumberException>(() => state.Decode(s_query, cache, sequence, output));
        Assert.All(state.TokenImportance.ToArray(), x => Assert.Equal(0, x));
        Assert.All(state.HeadImportance.ToArray(), x => Assert.Equal(0, x));
        state.Truncate(Tokens);
        // Nor what a layer's own sums show.
        columns[^1] = float.PositiveInfinity;
        Assert.Throws<NotFiniteNumberException>(() => state.Accumulate(columns, outputs, Dimension));
        columns[^1] = 0;
        outputs[^1] = float.NaN;
        Assert.Throws<NotFiniteNumberException>(() => state.Accumulate(columns, outputs, Dimension));
        Assert.All(state.HeadImportance.ToArray(), x => Assert.Equal(0, x));
        // Heads that were pruned take no part: the group that reads the bad value is left out.
        outputs.AsSpan().Clear();
        outputs.AsSpan(0, QueryHeads / Heads * Dimension).Fill(1);
        state.Accumulate(columns, outputs, Dimension);
        state.PruneHeads(QueryHeads / Heads);
        state.AddTokens(Tokens, 1);
        state.Decode(s_query, cache, sequence, output);
        Assert.All(output, x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void PlansOfNumbersThatAreNotFiniteAreRefused()
    {
        (float[] q, float[] k, _) = SparseAttentionCases.Inputs(s_shape, 100, 100);
        k[50 * RowLength] = float.NaN;
        Assert.Throws<NotFiniteNumberException>(() => SparseAttention.PlanTopKBlocks(q, k, s_shape));
        Assert.Throws<NotFiniteNumberException>(() =>
            SparseAttention.PlanVerticalSlash(q, k, s_shape, [.. Enumerable.Repeat(new VerticalSlashCounts(40, 40), QueryHeads)]));
    }

    [Fact]
    public void ASelectionIsMadeAnewWhereTokensWereTakenAway()
    {
        using KvCache cache = Filled(out int sequence, out float[] keys, out float[] values);
        var select = new TokenSelect(s_few);
        select.Select(s_query, cache, sequence, default);
        // A fork has the same tokens.
        int fork = cache.Fork(sequence), other = cache.CreateSequence();
        Assert.Equal(90, select.Select(s_query, cache, fork, default).Length);
        Assert.Equal(1, select.ScoredCount);
        cache.Keep(fork, [.. Enumerable.Range(0, 120)]);
        Assert.Equal(90, select.Select(s_query, cache, fork, default).Length);
        Assert.Equal(2, select.ScoredCount);
        // Shorter and longer again, between two looks.
        cache.Truncate(fork, 50);
        cache.Append(fork, keys.AsSpan(0, 70 * RowLength), values.AsSpan(0, 70 * RowLength));
        int[] anew = select.Select(s_query, cache, fork, default).ToArray();
        Assert.Equal(3, select.ScoredCount);
        Assert.Equal(new TokenSelect(s_few).Select(s_query, cache, fork, default).ToArray(), anew);
        // Another sequence of as many tokens, without Reset.
        cache.Append(other, keys.AsSpan(0, 120 * RowLength), values.AsSpan(0, 120 * RowLength));
        select.Select(s_query, cache, other, default);
        Assert.Equal(4, select.ScoredCount);
        select.Select(s_query, cache, other, default);
        Assert.Equal(4, select.ScoredCount);
    }

    [Fact]
    public void ASelectionIsReusedForNoMoreTokensThanAllowed()
    {
        using KvCache cache = Filled(out int sequence, out _, out _);
        TokenSelect always = new(s_few), limited = new(s_few with { ReuseTokens = 40 });
        always.Select(s_query, cache, sequence, default);
        limited.Select(s_query, cache, sequence, default);
        cache.Append(sequence, new float[40 * RowLength], new float[40 * RowLength]);
        Assert.Equal(90, limited.Select(s_query, cache, sequence, default).Length);
        Assert.Equal(1, limited.ScoredCount);
        // A token that the query likes, and that then leaves the local ones.
        float[] key = [.. Enumerable.Range(0, RowLength).Select(i => 5 * s_query[i / Dimension * (QueryHeads / Heads) * Dimension + i % Dimension])];
        cache.Append(sequence, key, key);
        cache.Append(sequence, new float[40 * RowLength], new float[40 * RowLength]);
        Assert.Contains(Tokens + 40, limited.Select(s_query, cache, sequence, default).ToArray());
        Assert.DoesNotContain(Tokens + 40, always.Select(s_query, cache, sequence, default).ToArray());
        Assert.Equal((2, 1), (limited.ScoredCount, always.ScoredCount));
        Assert.Equal("ReuseTokens", Assert.Throws<ArgumentOutOfRangeException>(() => new TokenSelect(new() { ReuseTokens = -1 })).ParamName);
    }

    [Fact]
    public void HeavyHittersSeeThatTokensWereTakenAwayBeforeAnythingIsWritten()
    {
        using KvCache cache = Filled(out int sequence, out float[] keys, out float[] values);
        float[] output = new float[s_query.Length];
        var hitters = new HeavyHitters(20, 5);
        SparseAttention.Decode(s_query, cache, sequence, output, hitters);
        float[] scores = hitters.Scores.ToArray();
        // A fork goes on with them.
        int fork = cache.Fork(sequence);
        cache.Append(fork, keys.AsSpan(0, RowLength), values.AsSpan(0, RowLength));
        SparseAttention.Decode(s_query, cache, fork, output, hitters);
        Assert.Equal(Tokens + 1, hitters.Scores.Length);
        float[] more = hitters.Scores.ToArray();
        output.AsSpan().Fill(42);
        // Taken back by another; and then as many appended again.
        cache.Truncate(fork, 200);
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal("sequence", Assert.ThrowsAny<ArgumentException>(() => SparseAttention.Decode(s_query, cache, fork, output, hitters)).ParamName);
            Assert.Equal("sequence", Assert.ThrowsAny<ArgumentException>(() => hitters.Evict(cache, fork)).ParamName);
            Assert.Equal("sequence", Assert.ThrowsAny<ArgumentException>(() => hitters.Truncate(cache, fork, 10)).ParamName);
            cache.Append(fork, keys.AsSpan(0, 101 * RowLength), values.AsSpan(0, 101 * RowLength));
        }
        Assert.All(output, x => Assert.Equal(42, x));
        Assert.Equal(more, hitters.Scores.ToArray());
        hitters.Reset();
        SparseAttention.Decode(s_query, cache, sequence, output, hitters);
        Assert.Equal(scores, hitters.Scores.ToArray());
        // Taken back by itself: the first scores stay.
        hitters.Truncate(cache, sequence, 100);
        Assert.Equal(100, cache.TokenCount(sequence));
        Assert.Equal(scores[..100], hitters.Scores.ToArray());
        Assert.Equal(75, hitters.Evict(cache, sequence));
        Assert.Equal("count", Assert.ThrowsAny<ArgumentException>(() => hitters.Truncate(cache, sequence, 26)).ParamName);
        SparseAttention.Decode(s_query, cache, sequence, output, hitters);
    }

    [Fact]
    public void AScoreThatIsNoNumberEvictsNothing()
    {
        using KvCache cache = Filled(out int sequence, out _, out _);
        var hitters = new HeavyHitters(20, 5, (_, _, scores) => scores[7] = float.NaN);
        SparseAttention.Decode(s_query, cache, sequence, new float[s_query.Length], hitters);
        Assert.Throws<NotFiniteNumberException>(() => hitters.Evict(cache, sequence));
        Assert.Equal(Tokens, cache.TokenCount(sequence));
    }

    [Fact]
    public void SpAttenRefusesACacheThatShrankAndFollowsIfTold()
    {
        using KvCache cache = Filled(out int sequence, out _, out _);
        float[] output = new float[s_query.Length], again = new float[s_query.Length];
        var state = new SpAttenState(QueryHeads);
        state.AddTokens(0, Tokens);
        state.Decode(s_query, cache, sequence, output);
        float[] importance = state.TokenImportance.ToArray();
        output.AsSpan().Fill(42);
        cache.Truncate(sequence, 250);
        Assert.Equal("sequence", Assert.ThrowsAny<ArgumentException>(() => state.Decode(s_query, cache, sequence, output)).ParamName);
        Assert.All(output, x => Assert.Equal(42, x));
        state.Truncate(250);
        Assert.Equal(importance[..250], state.TokenImportance.ToArray());
        state.Decode(s_query, cache, sequence, output);
        Assert.Equal("count", Assert.ThrowsAny<ArgumentException>(() => state.AddTokens(int.MaxValue - 3, 5)).ParamName);
        Assert.Equal("count", Assert.ThrowsAny<ArgumentException>(() => new SpAttenState(1).AddTokens(0, int.MaxValue)).ParamName);
        foreach (double scale in new[] { double.NaN, double.NegativeInfinity, 1e300 })
            Assert.Equal("scale", Assert.ThrowsAny<ArgumentException>(() => state.Decode(s_query, cache, sequence, output, scale)).ParamName);
        // As new.
        state.PruneHeads(1);
        state.Reset();
        state.AddTokens(0, 250);
        state.Decode(s_query, cache, sequence, again);
        SparseAttentionCases.AssertSameBits(output, again, "after Reset");
        Assert.All(state.ActiveHeads.ToArray(), Assert.True);
    }

    [Fact]
    public void DefaultsAreNewAndPublished()
    {
        Assert.Equal(default, new TokenSelectOptions());
        Assert.Equal(default, new TopKBlockOptions());
        Assert.Equal(default, new SpAttenOptions());
        using var cache = new KvCache(new() { KeyValueHeads = Heads, HeadDimension = Dimension, PageCount = 200 });
        Assert.Equal(16, cache.Options.PageSize);
        int sequence = cache.CreateSequence();
        const int tokens = 3000;
        cache.Append(sequence, SparseAttentionCases.Normal(tokens * RowLength, 1), SparseAttentionCases.Normal(tokens * RowLength, 2));
        // TokenSelect's 128, 2048 and 512; its cosine is 0.9.
        foreach (TokenSelect select in new TokenSelect[] { new(), new(default),
            new(new() { SinkTokens = 128, TopK = 2048, RecentTokens = 512, ReuseCosine = 0.9, PoolWidth = 1 }) })
        {
            int[] taken = select.Select(s_query, cache, sequence, default).ToArray();
            Assert.Equal(128 + 2048 + 512, taken.Length);
            Assert.Equal(Enumerable.Range(0, 128).Concat(Enumerable.Range(tokens - 512, 512)), taken.Where(i => i is < 128 or >= tokens - 512));
            Assert.Equal(new TokenSelect().Select(s_query, cache, sequence, default).ToArray(), taken);
            float[] turned = [.. s_query];
            turned.AsSpan(0, turned.Length / 4).Clear();
            select.Select(turned, cache, sequence, default);
            Assert.Equal(2, select.ScoredCount);
        }
        // A zero that was said is not a default.
        Assert.Equal(Enumerable.Range(tokens - 20, 20), new TokenSelect(new() { SinkTokens = 0, TopK = 0, RecentTokens = 20 })
            .Select(s_query, cache, sequence, default).ToArray());
        // SpAtten sums all values, or none where none is said.
        float[] all = new float[s_query.Length], dense = new float[s_query.Length], none = [.. Enumerable.Repeat(42f, s_query.Length)];
        foreach ((SpAttenOptions options, float[] output) in new[] { (default, all), (new SpAttenOptions { KeptValues = 0 }, none) })
        {
            var state = new SpAttenState(QueryHeads, options);
            state.AddTokens(0, tokens);
            state.Decode(s_query, cache, sequence, output);
        }
        SparseAttention.Decode(s_query, cache, sequence, dense);
        SparseAttentionCases.AssertClose(Element.ToDoubles<float>(dense), all, "SpAtten of all values");
        Assert.All(none, x => Assert.Equal(0, x));
        // MiniCPM4's blocks.
        (float[] q, float[] k, _) = SparseAttentionCases.Inputs(new(2, 1, 8), 20, 5000);
        BlockMask byDefault = SparseAttention.PlanTopKBlocks(q, k, new(2, 1, 8)), said = SparseAttention.PlanTopKBlocks(
            q, k, new(2, 1, 8), new() { CompressedLength = 32, CompressedStride = 16, BlockLength = 64, TopK = 64, InitialBlocks = 1, LocalBlocks = 32 });
        Assert.Equal(said.Columns.ToArray(), byDefault.Columns.ToArray());
        Assert.Equal("TopK", Assert.ThrowsAny<ArgumentException>(() => SparseAttention.PlanTopKBlocks(q, k, new(2, 1, 8), new() { TopK = 0 })).ParamName);
        Assert.Equal("CompressedStride",
            Assert.ThrowsAny<ArgumentException>(() => SparseAttention.PlanTopKBlocks(q, k, new(2, 1, 8), new() { BlockLength = 24 })).ParamName);
        Assert.Equal("PoolWidth", Assert.ThrowsAny<ArgumentException>(() => new TokenSelect(new() { PoolWidth = 0 })).ParamName);
    }

    private static SparseAttentionOracle Selected(float[] queries, float[] keys, float[] values, int[] positions) =>
        new SparseAttentionOracle(s_shape, queries, Element.ToDoubles<float>(keys), Element.ToDoubles<float>(values))
        {
            Bias = (_, _, key) => Array.BinarySearch(positions, key) >= 0 ? 0 : double.NegativeInfinity,
        }.Run();

    private static KvCache Filled(out int sequence, out float[] keys, out float[] values)
    {
        var cache = new KvCache(new() { KeyValueHeads = Heads, HeadDimension = Dimension, PageCount = 60, SplitNibbleKeys = true });
        sequence = cache.CreateSequence();
        keys = SparseAttentionCases.Normal(Tokens * RowLength, 1);
        values = SparseAttentionCases.Normal(Tokens * RowLength, 2);
        cache.Append(sequence, keys, values);
        return cache;
    }

    private sealed class ObservingSelector(int[] positions) : ITokenSelector
    {
        public int[] Positions => positions;

        public float[] Probabilities { get; private set; } = [];

        public int TokenCount { get; private set; }

        public bool ObservesProbabilities => true;

        public ReadOnlySpan<int> Select(ReadOnlySpan<float> queries, KvCache cache, int sequence, KernelOptions options) => positions;

        public void Observe(ReadOnlySpan<int> seen, ReadOnlySpan<float> probabilities, int tokenCount)
        {
            Assert.Equal(positions, seen.ToArray());
            (Probabilities, TokenCount) = (probabilities.ToArray(), tokenCount);
        }

        public void Reset() => Probabilities = [];
    }
}
