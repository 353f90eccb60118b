namespace Kernels.Tests;

/// <summary>Windows, sinks and masks at the ends of their ranges.</summary>
public sealed class AttentionReachTests
{
    private static readonly AttentionShape s_shape = new(2, 1, 12);

    public static TheoryData<string> Variants => SparseAttentionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SinksBeyondTheEndOfAWindowAreSeen(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach ((int queries, int keys) in new[] { (1, 100), (4, 130), (100, 100), (150, 90) })
        {
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys);
            float[] plain = new float[q.Length], output = new float[q.Length], sums = new float[queries * 2], columns = new float[2 * keys],
                gradient = SparseAttentionCases.Normal(q.Length, 3);
            SparseAttention.Attend<float>(q, k, v, plain, s_shape, new() { ColumnSums = columns, Kernel = kernel });
            foreach (int sinks in new[] { 0, 1, 40, 70, 1000, int.MaxValue })
            {
                string what = $"{queries} x {keys}, {sinks} sinks";
                SparseAttention.Attend<float>(q, k, v, output, s_shape,
                    new() { Window = 1, SinkTokens = sinks, LogSumExp = sums, ColumnSums = columns, Kernel = kernel });
                SparseAttentionOracle oracle = new SparseAttentionOracle(s_shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v))
                {
                    Window = 1,
                    SinkTokens = sinks
                }.Run();
                SparseAttentionCases.AssertClose(oracle.Output, output, what);
                SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, what + ", log-sum-exp");
                SparseAttentionCases.AssertClose(oracle.ColumnSums, columns, what + ", column sums");
                if (sinks >= keys)
                    SparseAttentionCases.AssertSameBits(plain, output, what);
                float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
                SparseAttention.Backward<float>(gradient, q, k, v, output, sums, dq, dk, dv, s_shape,
                    new() { Window = 1, SinkTokens = sinks, Kernel = kernel });
                (double[] byQueries, double[] byKeys, double[] byValues) = oracle.Backward(gradient);
                SparseAttentionCases.AssertClose(byQueries, dq, what + ", query gradient", 1e-5);
                SparseAttentionCases.AssertClose(byKeys, dk, what + ", key gradient", 1e-5);
                SparseAttentionCases.AssertClose(byValues, dv, what + ", value gradient", 1e-5);
            }
        }
    }

    [Fact]
    public void SinksAreThoseOfTheBlockMask()
    {
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, 60, 100);
        float[] byOptions = new float[q.Length], byMask = new float[q.Length];
        foreach (int sinks in new[] { 3, 80 })
        {
            SparseAttention.Attend<float>(q, k, v, byOptions, s_shape, new() { Window = 5, SinkTokens = sinks });
            SparseAttention.Attend<float>(q, k, v, byMask, s_shape, new() { BlockMask = BlockMask.SlidingWindow(new(60, 100, 8, 8), window: 5, sinks) });
            SparseAttentionCases.AssertSameBits(byMask, byOptions, $"{sinks} sinks");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void TheLargestWindowHidesNothing(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        // More queries than keys: the first ones stand before position 0, and position - window is below the smallest int.
        foreach ((int queries, int keys) in new[] { (5, 1), (100, 3), (3, 100), (1, 70) })
        {
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys);
            float[] expected = new float[q.Length], output = new float[q.Length];
            foreach (bool causal in new[] { false, true })
            {
                SparseAttention.Attend<float>(q, k, v, expected, s_shape, new() { Causal = causal, Kernel = kernel });
                foreach (int window in new[] { int.MaxValue, int.MaxValue - 1, int.MaxValue - 100 })
                {
                    SparseAttention.Attend<float>(q, k, v, output, s_shape,
                        new() { Causal = causal, Window = window, SinkTokens = int.MaxValue, Kernel = kernel });
                    SparseAttentionCases.AssertSameBits(expected, output, $"{queries} x {keys}, window {window}, causal {causal}");
                    SparseAttention.Attend<float>(q, k, v, output, s_shape, new() { Causal = causal, Window = window, Kernel = kernel });
                    SparseAttentionCases.AssertSameBits(expected, output, $"{queries} x {keys}, window {window} without sinks, causal {causal}");
                }
            }
        }
    }

    [Fact]
    public void BlockPatternsTakeTheLargestNumbers()
    {
        var shape = new BlockMaskShape(10, 20, 4, 4);
        Assert.Equal(BlockMask.Dense(shape).Columns, BlockMask.Strided(shape, int.MaxValue, int.MaxValue).Columns);
        Assert.Equal(BlockMask.Dense(shape).Columns, BlockMask.SlidingWindow(shape, int.MaxValue, int.MaxValue).Columns);
        Assert.Equal(BlockMask.Dense(shape).Columns, BlockMask.BigBird(shape, int.MaxValue, int.MaxValue, 0).Columns);
        // One column of blocks, one of whose blocks is larger than there are keys.
        var wide = new BlockMaskShape(2, 20, 1, int.MaxValue);
        Assert.Equal((1, 2), (wide.ColumnBlockCount, BlockMask.Dense(new(2, 20, 1, 1 << 20)).BlockCount));
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, 2, 20);
        float[] plain = new float[q.Length], output = new float[q.Length];
        SparseAttention.Attend<float>(q, k, v, plain, s_shape);
        SparseAttention.Attend<float>(q, k, v, output, s_shape, new() { BlockMask = BlockMask.FromCsr(wide, [0, 1, 2], [0, 0]) });
        SparseAttentionCases.AssertSameBits(plain, output, "one block");
    }

    [Theory]
    [InlineData(1e300, 0, "Scale")]
    [InlineData(double.PositiveInfinity, 0, "Scale")]
    [InlineData(1, 1e300, "SoftCap")]
    [InlineData(1, 1e-60, "SoftCap")]
    public void NumbersThatAreNoneAsFloatsAreRefused(double scale, double cap, string parameter)
    {
        float[] q = new float[12 * 2], k = new float[12], output = [.. Enumerable.Repeat(42f, 24)];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.Attend<float>(q, k, k, output, s_shape, new() { Scale = scale, SoftCap = cap }));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(output, x => Assert.Equal(42f, x));
    }

    [Fact]
    public void CountsBeyondThirtyOneBitsAreRefusedByName()
    {
        // 65,537 forks of 32,768 tokens that share their pages: 2^31 tokens and some in all.
        using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = 1, PageCount = 2048 });
        int sequence = cache.CreateSequence();
        cache.Append(sequence, new float[32768], new float[32768]);
        int[] sequences = [.. Enumerable.Repeat(sequence, 65537)];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => SparseAttention.Attend(new float[65537], cache, sequences, new float[65537], 1));
        Assert.Equal("sequences", refused.ParamName);
        // 2^16 queries with 2^16 blocks each.
        float[] rows = new float[1 << 16];
        refused = Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.PlanTopKBlocks(rows, rows, new(1, 1, 1), new() { TopK = 1 << 16, BlockLength = 1, CompressedStride = 1, CompressedLength = 1 }));
        Assert.Equal("options", refused.ParamName);
    }
}
