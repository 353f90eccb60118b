namespace Kernels.Tests;

/// <summary>Patterns against their definitions, and attention with them against the oracle.</summary>
public sealed class BlockMaskTests
{
    private const int Queries = 90, Keys = 130;

    private static readonly int[] s_global = [3, 77];

    private static readonly int[][] s_verticals = [[0, 5, 100], []], s_slashes = [[0, 7], [0, 1, 2, 64]];

    public static TheoryData<string, int, int> Patterns
    {
        get
        {
            var data = new TheoryData<string, int, int>();
            foreach (string pattern in new[] { "dense", "window", "strided", "bigbird", "longformer", "vertical slash", "top-k", "csr bits" })
            {
                foreach ((int rows, int columns) in new[] { (1, 1), (16, 16), (64, 64), (7, 33), (128, 64) })
                    data.Add(pattern, rows, columns);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void PatternsAreTheirDefinitionsAndAttentionFollowsThem(string pattern, int rows, int columns)
    {
        int heads = pattern is "vertical slash" or "top-k" ? 2 : 1;
        BlockMask mask = Make(pattern, new BlockMaskShape(Queries, Keys, rows, columns, heads));
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < Queries; query++)
            {
                for (int key = 0; key < Keys; key++)
                {
                    if (Defined(pattern, rows, columns, head, query, key) is { } expected)
                        Assert.Equal(expected, mask.Allows(head, query, key));
                }
            }
        }
        var shape = new AttentionShape(4, 2, 16);
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, Queries, Keys);
        float[] output = new float[q.Length], sums = new float[Queries * 4], columnSums = new float[4 * Keys];
        SparseAttention.Attend<float>(q, k, v, output, shape, new() { Causal = true, BlockMask = mask, LogSumExp = sums, ColumnSums = columnSums });
        SparseAttentionOracle oracle = new SparseAttentionOracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v))
        {
            Causal = true,
            Bias = (head, query, key) => mask.Allows(head * heads / 4, query, key) ? 0 : double.NegativeInfinity,
        }.Run();
        SparseAttentionCases.AssertClose(oracle.Output, output, pattern);
        SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, pattern);
        SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, pattern);
        SparseAttentionCases.AssertClose(oracle.ColumnSums, columnSums, pattern);
        float[] gradient = SparseAttentionCases.Normal(q.Length, 4), dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
        SparseAttention.Backward<float>(gradient, q, k, v, output, sums, dq, dk, dv, shape, new() { Causal = true, BlockMask = mask });
        (double[] eq, double[] ek, double[] ev) = oracle.Backward(gradient);
        SparseAttentionCases.AssertClose(eq, dq, pattern, 1e-5);
        SparseAttentionCases.AssertClose(ek, dk, pattern, 1e-5);
        SparseAttentionCases.AssertClose(ev, dv, pattern, 1e-5);
    }

    [Fact]
    public void TheSamePairsGiveTheSameBitsInBlocksOfAnySize()
    {
        var shape = new AttentionShape(2, 1, 32);
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, Queries, Keys);
        float[] dense = new float[q.Length], window = new float[q.Length];
        SparseAttention.Attend<float>(q, k, v, dense, shape, new() { Causal = true });
        SparseAttention.Attend<float>(q, k, v, window, shape, new() { Causal = true, Window = 20, SinkTokens = 4 });
        foreach ((int rows, int columns) in new[] { (64, 64), (1, 1), (13, 40) })
        {
            var sizes = new BlockMaskShape(Queries, Keys, rows, columns);
            float[] all = new float[q.Length], part = new float[q.Length];
            SparseAttention.Attend<float>(q, k, v, all, shape, new() { Causal = true, BlockMask = BlockMask.Dense(sizes) });
            SparseAttention.Attend<float>(q, k, v, part, shape, new() { Causal = true, BlockMask = BlockMask.SlidingWindow(sizes, 20, 4) });
            SparseAttentionCases.AssertSameBits(dense, all, $"dense in {rows} x {columns}");
            SparseAttentionCases.AssertSameBits(window, part, $"window in {rows} x {columns}");
        }
    }

    [Fact]
    public void BadMasksAreRefusedByName()
    {
        var shape = new BlockMaskShape(4, 4, 2, 2);
        Assert.Equal("columns", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 2, 2], [1, 0])).ParamName);
        Assert.Equal("columns", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 2, 2], [1, 1])).ParamName);
        Assert.Equal("columns", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 1, 1], [2])).ParamName);
        Assert.Equal("offsets", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 1], [1])).ParamName);
        Assert.Equal("offsets", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 2, 1], [1])).ParamName);
        Assert.Equal("partialBits", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape, [0, 1, 1], [1], [1, 2])).ParamName);
        Assert.Equal("shape", Assert.ThrowsAny<ArgumentException>(() => BlockMask.FromCsr(shape with { BlockRows = 0 }, [0], [])).ParamName);
        Assert.Equal("selected", Assert.ThrowsAny<ArgumentException>(() => BlockMask.TopK(shape, [1, 1, 0, 1], 2)).ParamName);
        Assert.Equal("globalTokens", Assert.ThrowsAny<ArgumentException>(() => BlockMask.Longformer(shape, 1, [4])).ParamName);
        Assert.Equal("BlockMask", Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.Attend<float>(new float[5], new float[4], new float[4], new float[5], new(1, 1, 1),
            new() { BlockMask = BlockMask.Dense(shape) })).ParamName);
    }

    private static BlockMask Make(string pattern, BlockMaskShape shape)
    {
        switch (pattern)
        {
            case "dense": return BlockMask.Dense(shape);
            case "window": return BlockMask.SlidingWindow(shape, 12, 3);
            case "strided": return BlockMask.Strided(shape, 2, 3);
            case "bigbird": return BlockMask.BigBird(shape, 1, 1, 1);
            case "longformer": return BlockMask.Longformer(shape, 9, s_global);
            case "vertical slash": return BlockMask.VerticalSlash(shape, s_verticals, s_slashes);
            case "top-k":
                int[] selected = [.. Enumerable.Range(0, shape.HeadCount * shape.RowBlockCount).SelectMany(row => new[] { row % shape.ColumnBlockCount, -1 })];
                return BlockMask.TopK(shape, selected, 2);
            default:
                int blocks = shape.RowBlockCount * shape.ColumnBlockCount, words = (shape.BlockRows * shape.BlockColumns + 63) / 64;
                var random = new Random(5);
                ulong[] bits = [.. Enumerable.Range(0, blocks * words).Select(_ => (ulong)random.NextInt64() & (ulong)random.NextInt64())];
                int[] offsets = [.. Enumerable.Range(0, shape.RowBlockCount + 1).Select(row => row * shape.ColumnBlockCount)];
                return BlockMask.FromCsr(shape, offsets, [.. Enumerable.Range(0, blocks).Select(block => block % shape.ColumnBlockCount)], bits);
        }
    }

    // Null where chance decides.
    private static bool? Defined(string pattern, int rows, int columns, int head, int query, int key)
    {
        int position = query + Keys - Queries, row = query / rows, column = key / columns;
        int first = (row * rows + Keys - Queries) / columns, last = (Math.Min(Queries, (row + 1) * rows) - 1 + Keys - Queries) / columns;
        bool band(int reach) => column > first - reach && column < last + reach;
        return pattern switch
        {
            "dense" => true,
            "window" => Math.Abs(position - key) < 12 || key < 3,
            "strided" => band(2) || column % 3 == 2,
            "bigbird" => band(1) || column == 0 || row == 0 ? true : null,
            "longformer" => Math.Abs(position - key) < 9 || s_global.Contains(key) || s_global.Contains(position),
            "vertical slash" => s_verticals[head].Contains(key) || s_slashes[head].Contains(position - key),
            "top-k" => column == (head * ((Queries + rows - 1) / rows) + row) % ((Keys + columns - 1) / columns),
            _ => null,
        };
    }
}
