using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>The paged cache: what comes back, what is shared, what is refused; attention over it as over arrays.</summary>
public sealed class KvCacheTests
{
    private const int Heads = 2, Dimension = 24;

    public static TheoryData<KeyValueType, int> Layouts
    {
        get
        {
            var data = new TheoryData<KeyValueType, int>();
            foreach (KeyValueType type in Enum.GetValues<KeyValueType>())
            {
                foreach (int page in new[] { 1, 2, 16, 64 })
                    data.Add(type, page);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void TokensComeBackAfterForksAndEvictions(KeyValueType type, int pageSize)
    {
        using KvCache cache = Make(type, pageSize, tokens: 600);
        (float[] keys, float[] values) = Tokens(150);
        int first = cache.CreateSequence();
        cache.Append(first, keys.AsSpan(0, 40 * Heads * Dimension), values.AsSpan(0, 40 * Heads * Dimension));
        cache.Append(first, keys.AsSpan(40 * Heads * Dimension), values.AsSpan(40 * Heads * Dimension));
        int free = cache.FreePageCount, second = cache.Fork(first);
        Assert.Equal(free, cache.FreePageCount);
        (float[] moreKeys, float[] moreValues) = Tokens(5, seed: 9);
        cache.Append(second, moreKeys, moreValues);
        int[] kept = [.. Enumerable.Range(0, 150).Where(token => token % 3 != 1)];
        cache.Keep(first, kept);
        Assert.Equal(kept.Length, cache.TokenCount(first));
        Assert.Equal(155, cache.TokenCount(second));
        for (int i = 0; i < kept.Length; i++)
            AssertToken(cache, first, i, keys, values, kept[i]);
        for (int i = 0; i < 150; i++)
            AssertToken(cache, second, i, keys, values, i);
        for (int i = 0; i < 5; i++)
            AssertToken(cache, second, 150 + i, moreKeys, moreValues, i);
        cache.Release(first);
        cache.Release(second);
        Assert.Equal(cache.Options.PageCount, cache.FreePageCount);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void AttentionOverPagesIsThatOverArrays(KeyValueType type, int pageSize)
    {
        var shape = new AttentionShape(6, Heads, Dimension);
        using KvCache cache = Make(type, pageSize, tokens: 700);
        int[] sequences = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()], lengths = [150, 1, 300], offsets = [0, 1, 3, 40];
        float[] queries = SparseAttentionCases.Normal(40 * shape.QueryHeads * Dimension, 3), output = new float[queries.Length];
        for (int i = 0; i < 3; i++)
        {
            (float[] keys, float[] values) = Tokens(lengths[i], seed: 20 + i);
            cache.Append(sequences[i], keys, values);
        }
        SparseAttention.Attend(queries, cache, sequences, output, shape.QueryHeads, new() { QueryOffsets = offsets, Causal = true });
        for (int i = 0; i < 3; i++)
        {
            (float[] keys, float[] values) = Stored(cache, sequences[i]);
            int begin = offsets[i] * shape.QueryHeads * Dimension, end = offsets[i + 1] * shape.QueryHeads * Dimension;
            float[] expected = new float[end - begin];
            SparseAttention.Attend<float>(queries.AsSpan(begin, end - begin), keys, values, expected, shape, new() { Causal = true });
            if (type == KeyValueType.Int8)
                SparseAttentionCases.AssertClose(Element.ToDoubles<float>(expected), output.AsSpan(begin, end - begin), $"{type}, sequence {i}");
            else
                SparseAttentionCases.AssertSameBits(expected, output.AsSpan(begin, end - begin), $"{type}, sequence {i}");
        }
    }

    [Fact]
    public void SixteenBitArraysAreAttendedToAsTheyAreStored()
    {
        var shape = new AttentionShape(4, 2, 40);
        foreach ((int queries, int keys) in new[] { (1, 200), (70, 130) })
        {
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, queries, keys);
            Check<Half>(shape, q, k, v);
            Check<BrainFloat16>(shape, q, k, v);
        }

        static void Check<T>(AttentionShape shape, float[] q, float[] k, float[] v) where T : unmanaged
        {
            T[] keys = Element.From<T>(k.Select(x => (double)x)), values = Element.From<T>(v.Select(x => (double)x));
            foreach (KernelVariant found in SparseAttentionVariants.Of(KeyValueTypes.Of<T>()).Entries.ToArray().Select(entry => entry.Variant)
                .Where(v => v.Availability != VariantAvailability.Absent))
            {
                var output = new float[q.Length];
                SparseAttention.Attend<T>(q, keys, values, output, shape, new() { Kernel = new() { Variant = found.Identity, AllowEmulation = true } });
                SparseAttentionOracle oracle = new SparseAttentionOracle(shape, q, Element.ToDoubles<T>(keys), Element.ToDoubles<T>(values)).Run();
                SparseAttentionCases.AssertClose(oracle.Output, output, found.Identity);
                SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, found.Identity);
            }
        }
    }

    [Fact]
    public void EmptySequencesGiveZeros()
    {
        var shape = new AttentionShape(4, Heads, Dimension);
        using KvCache cache = Make(KeyValueType.Float16, 16, tokens: 32);
        int empty = cache.CreateSequence(), full = cache.CreateSequence();
        (float[] keys, float[] values) = Tokens(20);
        cache.Append(full, keys, values);
        float[] queries = SparseAttentionCases.Normal(2 * shape.QueryHeads * Dimension, 3), row = queries[..(shape.QueryHeads * Dimension)];
        float[] output = [.. Enumerable.Repeat(42f, queries.Length)], sums = new float[2 * shape.QueryHeads];
        SparseAttention.Attend(queries, cache, [empty, full], output, shape.QueryHeads, new() { LogSumExp = sums });
        Assert.All(output[..row.Length], x => Assert.Equal(0, x));
        Assert.All(sums[..shape.QueryHeads], x => Assert.Equal(float.NegativeInfinity, x));
        Assert.All(sums[shape.QueryHeads..], x => Assert.True(float.IsFinite(x)));
        foreach (ITokenSelector? selector in new ITokenSelector?[] { null, new TokenSelect(), new HeavyHitters(4, 4) })
        {
            float[] alone = [.. Enumerable.Repeat(42f, row.Length)];
            SparseAttention.Decode(row, cache, empty, alone, selector);
            Assert.All(alone, x => Assert.Equal(0, x));
        }
    }

    public static TheoryData<string, KeyValueType, double> StoredTypes
    {
        get
        {
            // Absolute and relative, of outputs and log-sum-exps, against keys and values that were never rounded: what FlashInfer's tests allow half precision
            // (1e-3), and its coarser forms (1e-2).
            var data = new TheoryData<string, KeyValueType, double>();
            foreach (string name in SparseAttentionCases.Names)
            {
                data.Add(name, KeyValueType.Float16, 1e-3);
                data.Add(name, KeyValueType.BFloat16, 1e-2);
                data.Add(name, KeyValueType.Int8, 1e-2);
            }
            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(StoredTypes))]
    public void StoredTypesStayWithinTheirTolerances(string variant, KeyValueType type, double tolerance)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant, type);
        var shape = new AttentionShape(6, Heads, Dimension);
        using KvCache cache = Make(type, 16, tokens: 200);
        int sequence = cache.CreateSequence();
        (float[] keys, float[] values) = Tokens(200);
        cache.Append(sequence, keys, values);
        foreach (int queryCount in new[] { 1, 5, 40 })
        {
            float[] queries = SparseAttentionCases.Normal(queryCount * shape.QueryHeads * Dimension, 3), output = new float[queries.Length],
                sums = new float[queryCount * shape.QueryHeads];
            SparseAttention.Attend(queries, cache, [sequence], output, shape.QueryHeads, new() { Causal = true, LogSumExp = sums, Kernel = kernel });
            SparseAttentionOracle oracle = new SparseAttentionOracle(shape, queries, Element.ToDoubles<float>(keys),
                Element.ToDoubles<float>(values))
            { Causal = true }.Run();
            AssertWithin(oracle.Output, output);
            AssertWithin(oracle.LogSumExp, sums);
        }

        void AssertWithin(double[] expected, float[] actual) =>
            Assert.All(actual, (x, i) => Assert.InRange(Math.Abs(x - expected[i]), 0, tolerance + tolerance * Math.Abs(expected[i])));
    }

    [Fact]
    public void SpecialHalvesStaySpecial()
    {
        Half[] specials = [Half.NaN, Half.PositiveInfinity, Half.NegativeInfinity, Half.MaxValue, Half.Epsilon, (Half)(-0f)];
        foreach (Half special in specials)
        {
            var values = new Half[40];
            values[3] = special;
            var output = new float[40];
            SparseAttention.Attend<Half>(new float[40], new Half[40], values, output, new(1, 1, 40));
            Assert.Equal((float)special, output[3]);
            // A cache widens without looking for infinities until it was given one; 65520 rounds to one.
            foreach (float stored in new[] { (float)special, 65520 })
            {
                using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = 40, PageCount = 1, Type = KeyValueType.Float16 });
                int sequence = cache.CreateSequence();
                float[] row = new float[40];
                row[3] = stored;
                cache.Append(sequence, new float[40], row);
                SparseAttention.Decode(new float[40], cache, sequence, output);
                Assert.Equal((float)(Half)stored, output[3]);
            }
        }
    }

    [Fact]
    public void BytesAreAsComputed()
    {
        // 10 pages of 16 tokens, 3 heads, d 20: rows of 20 elements; planes have 3 steps of 4 bytes a token and half.
        var options = new KvCacheOptions { KeyValueHeads = 3, HeadDimension = 20, PageCount = 10, PageSize = 16, Type = KeyValueType.Float16 };
        const int rows = 10 * 16 * 3;
        Assert.Equal(2 * rows * 20 * 2, options.ByteCount);
        Assert.Equal(2 * rows * 20 * 2 + rows * (2 * 3 * 4 + 4), (options with { SplitNibbleKeys = true }).ByteCount);
        Assert.Equal(2 * rows * 20 + 2 * rows * 4, (options with { Type = KeyValueType.Int8 }).ByteCount);
        using var cache = new KvCache(options);
        Assert.Equal(options.ByteCount, cache.ByteCount);
    }

    [Fact]
    public void BadUseIsRefusedByName()
    {
        Assert.Equal("PageSize", Assert.ThrowsAny<ArgumentException>(() => Make(KeyValueType.Float32, 3, 10)).ParamName);
        Assert.Equal("PageSize", Assert.ThrowsAny<ArgumentException>(() =>
            new KvCache(new() { KeyValueHeads = 1, HeadDimension = 8, PageCount = 4, PageSize = 8, SplitNibbleKeys = true })).ParamName);
        Assert.Equal("PageCount", Assert.ThrowsAny<ArgumentException>(() =>
            new KvCache(new() { KeyValueHeads = 1, HeadDimension = 8, PageCount = 0 })).ParamName);
        using KvCache cache = Make(KeyValueType.Float32, 4, tokens: 8);
        int sequence = cache.CreateSequence();
        (float[] keys, float[] values) = Tokens(8);
        Assert.Equal("sequence", Assert.ThrowsAny<ArgumentException>(() => cache.TokenCount(5)).ParamName);
        Assert.Equal("keys", Assert.ThrowsAny<ArgumentException>(() => cache.Append(sequence, keys.AsSpan(1), values)).ParamName);
        Assert.Equal("values", Assert.ThrowsAny<ArgumentException>(() => cache.Append(sequence, keys, values.AsSpan(1))).ParamName);
        cache.Append(sequence, keys, values);
        Assert.Throws<InvalidOperationException>(() => cache.Append(sequence, keys, values));
        Assert.Equal(8, cache.TokenCount(sequence));
        Assert.Equal("positions", Assert.ThrowsAny<ArgumentException>(() => cache.Keep(sequence, [1, 1])).ParamName);
        Assert.Equal("positions", Assert.ThrowsAny<ArgumentException>(() => cache.Keep(sequence, [2, 1])).ParamName);
        Assert.Equal("positions", Assert.ThrowsAny<ArgumentException>(() => cache.Keep(sequence, [8])).ParamName);
        Assert.Equal("position", Assert.ThrowsAny<ArgumentException>(() => cache.Read(sequence, 8, new float[48], new float[48])).ParamName);
        Assert.Equal("queryHeads", Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.Attend(new float[3 * Dimension], cache, [sequence], new float[3 * Dimension], 3)).ParamName);
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.TokenCount(sequence));
    }

    private static KvCache Make(KeyValueType type, int pageSize, int tokens) =>
        new(new()
        {
            KeyValueHeads = Heads,
            HeadDimension = Dimension,
            PageSize = pageSize,
            PageCount = (tokens + pageSize - 1) / pageSize,
            Type = type,
            SplitNibbleKeys = pageSize >= 16
        });

    private static (float[] Keys, float[] Values) Tokens(int count, int seed = 1) =>
        (SparseAttentionCases.Normal(count * Heads * Dimension, seed), SparseAttentionCases.Normal(count * Heads * Dimension, seed + 1000));

    private static (float[] Keys, float[] Values) Stored(KvCache cache, int sequence)
    {
        const int row = Heads * Dimension;
        float[] keys = new float[cache.TokenCount(sequence) * row], values = new float[keys.Length];
        for (int i = 0; i < cache.TokenCount(sequence); i++)
            cache.Read(sequence, i, keys.AsSpan(i * row, row), values.AsSpan(i * row, row));
        return (keys, values);
    }

    private static void AssertToken(KvCache cache, int sequence, int position, float[] keys, float[] values, int token)
    {
        const int row = Heads * Dimension;
        float[] key = new float[row], value = new float[row];
        cache.Read(sequence, position, key, value);
        for (int i = 0; i < row; i++)
        {
            // A half unit in the last place, or half a step of 127.
            double bound = cache.Options.Type switch
            {
                KeyValueType.Float32 => 0,
                KeyValueType.Float16 => 1.0 / 2048,
                KeyValueType.BFloat16 => 1.0 / 256,
                _ =>
                0.5 / 127
            };
            double size = cache.Options.Type == KeyValueType.Int8 ? 6 : 1;
            Assert.InRange(key[i], keys[token * row + i] - bound * Math.Max(size, Math.Abs(keys[token * row + i])), keys[token * row + i] + bound
                * Math.Max(size, Math.Abs(keys[token * row + i])));
            Assert.InRange(value[i], values[token * row + i] - bound * Math.Max(size, Math.Abs(values[token * row + i])), values[token * row + i] + bound
                * Math.Max(size, Math.Abs(values[token * row + i])));
        }
    }
}
