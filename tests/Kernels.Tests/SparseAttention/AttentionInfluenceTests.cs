namespace Kernels.Tests;

/// <summary>
/// What takes no part has no influence, to the bit: numbers that are not finite stand in keys, values, queries or output gradients, and everything whose
/// definition does not read them must be what it is without them, under every way of excluding pairs, forward and backward, streamed and in tiles, for every
/// stored type.
/// </summary>
public sealed class AttentionInfluenceTests
{
    private const float Special = float.NaN, Smallest = -(1 << 21);

    // Five dimensions more than whole registers of any width, and groups of two heads.
    private static readonly AttentionShape s_shape = new(4, 2, 37);

    private static readonly string[] s_exclusions =
    [
        "additive -inf", "additive -1e9", "additive smallest", "boolean", "blocks", "window", "causal", "causal window with sinks", "window with sinks",
            "lengths", "all, additive -1e9", "all, additive -inf",
    ];

    public static TheoryData<string, string> Exclusions
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string variant in SparseAttentionCases.Names)
            {
                foreach (string exclusion in s_exclusions)
                    data.Add(variant, exclusion);
            }
            return data;
        }
    }

    // One query and three of them are streamed, the others are done in tiles.
    private static readonly (int Queries, int Keys)[] s_sizes = [(1, 70), (3, 130), (70, 150)];

    [SkippableTheory]
    [MemberData(nameof(Exclusions))]
    public void KeysAndValuesForward(string variant, string exclusion)
    {
        Check<float>(KeyValueType.Float32);
        Check<Half>(KeyValueType.Float16);
        Check<BrainFloat16>(KeyValueType.BFloat16);

        void Check<T>(KeyValueType type) where T : unmanaged
        {
            KernelOptions kernel = SparseAttentionCases.Force(variant, type);
            foreach ((int queries, int keys) in s_sizes)
            {
                foreach (bool bends in new[] { false, true })
                {
                    var pairs = new Pairs(exclusion, queries, keys, bends);
                    (float[] q, float[] floatKeys, float[] floatValues) = SparseAttentionCases.Inputs(s_shape, queries, keys, 7);
                    T[] k = Element.From<T>(Element.ToDoubles<float>(floatKeys)), v = Element.From<T>(Element.ToDoubles<float>(floatValues));
                    Results clean = Forward<T>(pairs, q, k, v, kernel);
                    foreach (float special in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                    {
                        foreach ((bool inKeys, bool inValues) in new[] { (true, false), (false, true), (true, true) })
                        {
                            string what = $"{typeof(T).Name} {exclusion} {queries} x {keys}, bends {bends}, {special} in keys {inKeys}, values {inValues}";
                            Results dirty = Forward<T>(pairs, q, inKeys ? pairs.Spoil(k, special) : k, inValues ? pairs.Spoil(v, special) : v, kernel);
                            AssertForward(pairs, clean, dirty, what, inKeys, shows: float.IsNaN(special) || (inValues && !inKeys));
                        }
                    }
                }
            }
        }
    }

    public static TheoryData<string, KeyValueType> Caches
    {
        get
        {
            var data = new TheoryData<string, KeyValueType>();
            foreach (string variant in SparseAttentionCases.Names)
            {
                foreach (KeyValueType type in Enum.GetValues<KeyValueType>())
                    data.Add(variant, type);
            }
            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Caches))]
    public void KeysAndValuesOfCaches(string variant, KeyValueType type)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant, type);
        foreach ((int queries, int keys) in s_sizes)
        {
            foreach (string exclusion in s_exclusions.Where(e => e != "lengths"))
            {
                var pairs = new Pairs(exclusion, queries, keys, bends: false);
                (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys, 7);
                Results clean = Run(k, v);
                AssertForward(pairs, clean, Run(pairs.Spoil(k, Special), pairs.Spoil(v, Special)), $"{type} {exclusion} {queries} x {keys}", inKeys: true,
                    shows: true);
                AssertForward(pairs, clean, Run(k, pairs.Spoil(v, Special)), $"{type} {exclusion} {queries} x {keys}, values", inKeys: false, shows: true);

                Results Run(float[] k, float[] v)
                {
                    using var cache = new KvCache(new()
                    {
                        KeyValueHeads = s_shape.KeyValueHeads,
                        HeadDimension = s_shape.HeadDimension,
                        PageCount = 20,
                        Type = type
                    });
                    int sequence = cache.CreateSequence();
                    cache.Append(sequence, k, v);
                    var results = new Results(queries, keys);
                    SparseAttention.Attend(q, cache, [sequence], results.Output, s_shape.QueryHeads, pairs.Options(kernel, results));
                    return results;
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Exclusions))]
    public void QueriesForward(string variant, string exclusion)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach ((int queries, int keys) in s_sizes)
        {
            var pairs = new Pairs(exclusion, queries, keys, bends: true);
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys, 7);
            Results clean = Forward<float>(pairs, q, k, v, kernel), dirty = Forward<float>(pairs, pairs.SpoilRow(q, Special), k, v, kernel);
            for (int query = 0; query < queries; query++)
            {
                if (query != pairs.SpoiledQuery || !pairs.SeesAny(query))
                    SparseAttentionCases.AssertSameBits(RowsOf(clean.Output, query), RowsOf(dirty.Output, query),
                        $"{exclusion} {queries} x {keys}, query {query}");
                else
                    Assert.All(RowsOf(dirty.Output, query).ToArray(), x => Assert.Equal(float.NaN, x));
            }
            AssertColumns(pairs, clean, dirty, key => !pairs.Sees(pairs.SpoiledQuery, key), $"{exclusion} {queries} x {keys}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Exclusions))]
    public void GradientsOfKeysAndValues(string variant, string exclusion)
    {
        foreach ((int queries, int keys) in s_sizes)
        {
            foreach (float special in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                foreach ((bool inKeys, bool inValues) in new[] { (true, false), (false, true) })
                {
                    var pairs = new Pairs(exclusion, queries, keys, bends: true);
                    (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys, 7);
                    float[] gradient = SparseAttentionCases.Normal(q.Length, 8);
                    Gradients clean = Backward(pairs, gradient, q, k, v, variant);
                    Gradients dirty = Backward(pairs, gradient, q, inKeys ? pairs.Spoil(k, special) : k, inValues ? pairs.Spoil(v, special) : v, variant);
                    AssertGradients(pairs, clean, dirty, pairs.SeesSpoiled, $"{exclusion} {queries} x {keys}, {special} in keys {inKeys}, values {inValues}",
                        shows: float.IsNaN(special) || inValues);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Exclusions))]
    public void GradientsOfQueriesAndOutputs(string variant, string exclusion)
    {
        foreach ((int queries, int keys) in s_sizes)
        {
            foreach (float special in new[] { float.NaN, float.PositiveInfinity })
            {
                foreach (bool inQueries in new[] { true, false })
                {
                    var pairs = new Pairs(exclusion, queries, keys, bends: true);
                    (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys, 7);
                    float[] gradient = SparseAttentionCases.Normal(q.Length, 8);
                    Gradients clean = Backward(pairs, gradient, q, k, v, variant);
                    Gradients dirty = Backward(pairs, inQueries ? gradient : pairs.SpoilRow(gradient, special), inQueries ? pairs.SpoilRow(q, special) : q, k,
                        v, variant);
                    AssertGradients(pairs, clean, dirty, query =>
                        query == pairs.SpoiledQuery, $"{exclusion} {queries} x {keys}, {special} in queries {inQueries}", shows: float.IsNaN(special)
                        || !inQueries);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void LogitsBelowTheSmallestAreLeftOutWithoutAnyMask(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        const int keys = 100;
        foreach (int queries in new[] { 1, 40 })
        {
            // The largest logits are the smallest that count, -2^21, whose neighbours below are within reach of an exponential: e^-2 would be seen.
            foreach (float far in new[] { Smallest - 1, -3e6f, -1e30f })
            {
                float[] q = [.. Enumerable.Repeat(1f, queries)], k = [.. Enumerable.Range(0, keys).Select(i => i is 20 or 90 ? Smallest : far)];
                float[] v = [.. Enumerable.Range(0, keys).Select(i => i == 20 ? 3f : i == 90 ? 5f : float.NaN)], output = new float[queries],
                    sums = new float[queries], columns = new float[keys];
                SparseAttention.Attend<float>(q, k, v, output, new(1, 1, 1), new() { Scale = 1, LogSumExp = sums, ColumnSums = columns, Kernel = kernel });
                SparseAttentionCases.AssertClose([.. Enumerable.Repeat(4.0, queries)], output, $"{far}");
                Assert.All(sums, x => Assert.Equal((float)(Smallest + Math.Log(2)), x));
                // Where there are several queries probabilities are made again from the float log-sum-exp, whose unit is 1/8 below 2^21.
                Assert.All(columns.Select((sum, key) => (sum, key)), c => Assert.True(c.key is 20 or 90 ? c.sum > 0 : c.sum == 0, $"key {c.key}: {c.sum}"));
            }
        }
    }

    // Rows that see none of the spoiled keys are as they were; the others show them.
    private static void AssertForward(Pairs pairs, Results clean, Results dirty, string what, bool inKeys, bool shows)
    {
        for (int query = 0; query < pairs.QueryCount; query++)
        {
            if (!pairs.SeesSpoiled(query))
            {
                SparseAttentionCases.AssertSameBits(RowsOf(clean.Output, query), RowsOf(dirty.Output, query), $"{what}, query {query}");
                SparseAttentionCases.AssertSameBits(clean.LogSumExp.AsSpan(query * s_shape.QueryHeads, s_shape.QueryHeads),
                    dirty.LogSumExp.AsSpan(query * s_shape.QueryHeads, s_shape.QueryHeads), $"{what}, sums of query {query}");
            }
            else if (shows)
            {
                Assert.All(RowsOf(dirty.Output, query).ToArray(), x => Assert.False(float.IsFinite(x), what));
            }
        }
        AssertColumns(pairs, clean, dirty, key => !inKeys || !Enumerable.Range(0, pairs.QueryCount)
            .Any(query => pairs.Sees(query, key) && pairs.SeesSpoiled(query)), what);
    }

    private static void AssertColumns(Pairs pairs, Results clean, Results dirty, Func<int, bool> isUntouched, string what)
    {
        for (int key = 0; key < pairs.KeyCount; key++)
        {
            for (int head = 0; isUntouched(key) && head < s_shape.QueryHeads; head++)
                SparseAttentionCases.AssertSameBits([clean.ColumnSums[head * pairs.KeyCount + key]], [dirty.ColumnSums[head * pairs.KeyCount + key]],
                    $"{what}, column {key} of head {head}");
        }
    }

    private static void AssertGradients(Pairs pairs, Gradients clean, Gradients dirty, Func<int, bool> isSpoiled, string what, bool shows)
    {
        for (int query = 0; query < pairs.QueryCount; query++)
        {
            if (!isSpoiled(query) || !pairs.SeesAny(query))
                SparseAttentionCases.AssertSameBits(RowsOf(clean.Queries, query), RowsOf(dirty.Queries, query), $"{what}, gradient of query {query}");
            else if (shows)
                Assert.All(RowsOf(dirty.Queries, query).ToArray(), x => Assert.False(float.IsFinite(x), what));
        }
        int row = s_shape.KeyValueHeads * s_shape.HeadDimension;
        for (int key = 0; key < pairs.KeyCount; key++)
        {
            if (Enumerable.Range(0, pairs.QueryCount).Any(query => isSpoiled(query) && pairs.Sees(query, key)))
                continue;
            SparseAttentionCases.AssertSameBits(clean.Keys.AsSpan(key * row, row), dirty.Keys.AsSpan(key * row, row), $"{what}, gradient of key {key}");
            SparseAttentionCases.AssertSameBits(clean.Values.AsSpan(key * row, row), dirty.Values.AsSpan(key * row, row), $"{what}, gradient of value {key}");
        }
    }

    private static ReadOnlySpan<float> RowsOf(float[] rows, int query) =>
        rows.AsSpan(query * s_shape.QueryHeads * s_shape.HeadDimension, s_shape.QueryHeads * s_shape.HeadDimension);

    private static Results Forward<T>(Pairs pairs, float[] q, T[] k, T[] v, KernelOptions kernel) where T : unmanaged
    {
        var results = new Results(pairs.QueryCount, pairs.KeyCount);
        SparseAttention.Attend<T>(q, k, v, results.Output, s_shape, pairs.Options(kernel, results));
        return results;
    }

    private static Gradients Backward(Pairs pairs, float[] gradient, float[] q, float[] k, float[] v, string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        Results results = Forward<float>(pairs, q, k, v, kernel);
        var gradients = new Gradients(new float[q.Length], new float[k.Length], new float[v.Length]);
        SparseAttention.Backward<float>(gradient, q, k, v, results.Output, results.LogSumExp, gradients.Queries, gradients.Keys, gradients.Values, s_shape,
            pairs.Options(kernel, null));
        return gradients;
    }

    private sealed record Gradients(float[] Queries, float[] Keys, float[] Values);

    private sealed class Results(int queries, int keys)
    {
        public float[] Output { get; } = new float[queries * s_shape.QueryHeads * s_shape.HeadDimension];

        public float[] LogSumExp { get; } = new float[queries * s_shape.QueryHeads];

        public float[] ColumnSums { get; } = new float[s_shape.QueryHeads * keys];
    }

    /// <summary>Which pairs take part, said once as a function and once as options.</summary>
    private sealed class Pairs
    {
        private const int WindowLength = 11, Sinks = 3, BlockRows = 5, BlockColumns = 7;

        private readonly string _exclusion;
        private readonly bool _bends, _all;
        private readonly bool[] _mask;
        private readonly float[] _additive;
        private readonly int[] _queryOffsets, _keyOffsets, _spoiled;
        private readonly BlockMask? _blocks;

        public Pairs(string exclusion, int queries, int keys, bool bends)
        {
            (_exclusion, QueryCount, KeyCount, _bends, _all) = (exclusion, queries, keys, bends, exclusion.StartsWith("all", StringComparison.Ordinal));
            // Some that no query sees, and some that are seen by some queries and not by others: the last ones of a causal triangle; at a window's edge; here
            // and there.
            _spoiled = exclusion == "causal" ? [68, 128, 148] : exclusion.Contains("window", StringComparison.Ordinal) || exclusion == "blocks" || _all
                ? [5, 37, 118, 148] : [5, 37, 101, 120, 148];
            _mask = [.. Enumerable.Range(0, queries * keys).Select(i => Base(i / keys, i % keys))];
            float excluded = exclusion.EndsWith("-inf", StringComparison.Ordinal) ? float.NegativeInfinity
                : exclusion.EndsWith("smallest", StringComparison.Ordinal) ? float.MinValue : -1e9f;
            _additive = exclusion.Contains("additive", StringComparison.Ordinal) ? [.. _mask.Select((takesPart, i) => takesPart ? 0.01f * (i % 7) : excluded)]
                : [];
            (_queryOffsets, _keyOffsets) = exclusion == "lengths" ? ([0, queries / 3, queries], [0, 60, keys]) : ((int[])[], (int[])[]);
            if (exclusion == "blocks" || _all)
                _blocks = BlockMask.SlidingWindow(new(queries, keys, BlockRows, BlockColumns), WindowLength, Sinks);
        }

        public int QueryCount { get; }

        public int KeyCount { get; }

        public int SpoiledQuery => QueryCount / 2;

        public bool Sees(int query, int key)
        {
            int position = query + KeyCount - QueryCount, distance = Math.Abs(position - key);
            bool window = distance < WindowLength, sinks = key < Sinks;
            return _exclusion switch
            {
                "window" => window,
                "causal" => key <= position,
                "causal window with sinks" => key <= position && (window || sinks),
                "window with sinks" or "blocks" => window || sinks,
                "lengths" => query < _queryOffsets[1] == key < _keyOffsets[1],
                _ => _mask[query * KeyCount + key] && (!_all || (key <= position && (window || sinks))),
            };
        }

        public bool SeesAny(int query) => Enumerable.Range(0, KeyCount).Any(key => Sees(query, key));

        public bool SeesSpoiled(int query) => _spoiled.Any(key => key < KeyCount && Sees(query, key));

        public T[] Spoil<T>(T[] rows, float special) where T : unmanaged
        {
            var spoiled = (T[])rows.Clone();
            int length = s_shape.KeyValueHeads * s_shape.HeadDimension;
            foreach (int key in _spoiled.Where(key => key < KeyCount))
                spoiled.AsSpan(key * length, length).Fill(Element.FromDouble<T>(special));
            return spoiled;
        }

        public float[] SpoilRow(float[] rows, float special)
        {
            float[] spoiled = [.. rows];
            int length = s_shape.QueryHeads * s_shape.HeadDimension;
            spoiled.AsSpan(SpoiledQuery * length, length).Fill(special);
            return spoiled;
        }

        public AttentionOptions Options(KernelOptions kernel, Results? results) => new()
        {
            SoftCap = _bends ? 20 : 0,
            AlibiSlopes = _bends ? [0.01f, 0.02f, 0.03f, 0.04f] : [],
            Causal = _exclusion.StartsWith("causal", StringComparison.Ordinal) || _all,
            Window = _exclusion.Contains("window", StringComparison.Ordinal) || _all ? WindowLength : 0,
            SinkTokens = _exclusion.EndsWith("sinks", StringComparison.Ordinal) || _all ? Sinks : 0,
            AdditiveMask = _additive,
            BooleanMask = _exclusion == "boolean" || _all ? _mask : [],
            BlockMask = _blocks,
            QueryOffsets = _queryOffsets,
            KeyOffsets = _keyOffsets,
            LogSumExp = results is null ? [] : results.LogSumExp,
            ColumnSums = results is null ? [] : results.ColumnSums,
            Kernel = kernel,
        };

        // The fourth query sees nothing.
        private static bool Base(int query, int key) => key % 64 is not 5 and not 37 && query != 4 && (3 * query + key) % 5 != 0;
    }
}
