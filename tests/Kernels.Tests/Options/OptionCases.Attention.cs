namespace Kernels.Tests;

/// <summary>Attention, its cache, its plans and its selectors.</summary>
internal static partial class OptionCases
{
    private static readonly AttentionShape s_heads = new(2, 1, 2);
    private static readonly float[] s_queries = Waves(8, 1), s_keys = Waves(6, 2), s_values = Waves(6, 3);
    private static readonly int[] s_twoQueries = [0, 1, 2], s_twoKeys = [0, 1, 3];

    // Sizes so small that blocks and tokens are left over.
    private static readonly TopKBlockOptions s_plan = new()
    {
        CompressedLength = 8,
        CompressedStride = 4,
        BlockLength = 16,
        TopK = 4,
        InitialBlocks = 1,
        LocalBlocks = 1
    };
    private static readonly TokenSelectOptions s_few = new() { SinkTokens = 2, RecentTokens = 4, TopK = 4 };
    private static readonly KvCacheOptions s_cache = new() { KeyValueHeads = 1, HeadDimension = 8, PageCount = 8 };

    public static IEnumerable<OptionCase> Attention() =>
    [
        OptionCase.Of<double>("AttentionOptions.Scale", value => Attend(new() { Scale = value }), (0, 2), [0, -1, float.MaxValue, -float.MaxValue],
            [.. s_notFinite, double.MaxValue]),
        OptionCase.Of<double>("AttentionOptions.SoftCap", value => Attend(new() { SoftCap = value }), (0, 1), [0, float.Epsilon, float.MaxValue],
            [.. s_notFinite, -1, double.Epsilon, double.MaxValue]),
        OptionCase.Of<bool>("AttentionOptions.Causal", value => Attend(new() { Causal = value }), (false, true), [false, true], []),
        OptionCase.Of<int>("AttentionOptions.Window", value => Attend(new() { Window = value }), (0, 1), [0, 1, int.MaxValue], [-1, int.MinValue]),
        OptionCase.Of<int>("AttentionOptions.SinkTokens", value => Attend(new() { Window = 1, SinkTokens = value }), (0, 1), [0, 1, int.MaxValue],
            [-1, int.MinValue]),
        OptionCase.Of<float[]>("AttentionOptions.AlibiSlopes", slopes => Attend(new() { AlibiSlopes = slopes }), ([], [1, 2]), [[], new float[2]],
            [new float[1], new float[3]]),
        OptionCase.Of<float[]>("AttentionOptions.AdditiveMask", mask => Attend(new() { AdditiveMask = mask }), ([], [1, 2, 3, 4, 0, 1]),
            [[], new float[6], new float[12]], [new float[5], new float[7], new float[13]]),
        OptionCase.Of<bool[]>("AttentionOptions.BooleanMask", mask => Attend(new() { BooleanMask = mask }), ([], new bool[6]), [[], new bool[6], new bool[12]],
            [new bool[5], new bool[7], new bool[13]]),
        OptionCase.Of<BlockMask?>("AttentionOptions.BlockMask", mask => Attend(new() { BlockMask = mask }),
            (null, BlockMask.FromCsr(new(2, 3, 1, 1), [0, 1, 2], [0, 1])), [null, BlockMask.Dense(new(2, 3))], [])
            .Refuses("of other queries", () => Attend(new() { BlockMask = BlockMask.Dense(new(3, 3)) }))
                .Refuses("of other keys", () => Attend(new() { BlockMask = BlockMask.Dense(new(2, 4)) })),
        OptionCase.Of<int[]>("AttentionOptions.QueryOffsets", offsets =>
            Attend(new() { QueryOffsets = offsets, KeyOffsets = offsets.Length == 0 ? [] : s_twoKeys }), ([], s_twoQueries), [[], [0, 0, 2], [0, 2, 2]],
            [[0, 1, 3], [1, 1, 2], [0, -1, 2], [0, 3, 2]]),
        OptionCase.Of<int[]>("AttentionOptions.KeyOffsets", offsets => Attend(new() { QueryOffsets = s_twoQueries, KeyOffsets = offsets }),
            ([0, 3, 3], s_twoKeys), [[0, 0, 3], [0, 3, 3]], [[], [0, 3], [0, 1, 2], [1, 1, 3], [0, 4, 3]]),
        OptionCase.Of<bool>("AttentionOptions.SharedPrefix", value =>
            Attend(new() { QueryOffsets = s_twoQueries, KeyOffsets = s_twoKeys, SharedPrefix = value }), (false, true), [false, true], [])
            .Refuses("of one sequence", () => Attend(new() { SharedPrefix = true })),
        OptionCase.Of<float[]>("AttentionOptions.LogSumExp", sums => Written(sums, Attend(new() { LogSumExp = sums })), ([], OptionCase.NaNs(4)),
            [[], OptionCase.NaNs(4), OptionCase.NaNs(5)], [new float[1], new float[3]]),
        OptionCase.Of<float[]>("AttentionOptions.ColumnSums", sums => Written(sums, Attend(new() { ColumnSums = sums })), ([], OptionCase.NaNs(6)),
            [[], OptionCase.NaNs(6), OptionCase.NaNs(7)], [new float[1], new float[5]]),
        OptionCase.Kernel("AttentionOptions", kernel => Attend(new() { Kernel = kernel })),

        OptionCase.Of<int>("KvCacheOptions.KeyValueHeads", value => Bytes(s_cache with { KeyValueHeads = value }), (1, 2), [1, 64], [0, -1, int.MinValue]),
        OptionCase.Of<int>("KvCacheOptions.HeadDimension", value => Bytes(s_cache with { HeadDimension = value }), (8, 9),
            [1, AttentionShape.LargestHeadDimension], [0, -1, AttentionShape.LargestHeadDimension + 1]),
        OptionCase.Of<int>("KvCacheOptions.PageCount", value => Bytes(s_cache with { PageCount = value }), (8, 9), [1], [0, -1, int.MaxValue]),
        OptionCase.Of<int?>("KvCacheOptions.PageSize", value => Bytes(s_cache with { PageSize = value }), (null, 32), [null, 1, 1 << 10],
            [0, -1, 3, int.MinValue]),
        OptionCase.Of<KeyValueType>("KvCacheOptions.Type", value => Bytes(s_cache with { Type = value }), (KeyValueType.Float32, KeyValueType.Int8),
            Enum.GetValues<KeyValueType>(), [(KeyValueType)(-1), KeyValueType.Int8 + 1]),
        OptionCase.Of<bool>("KvCacheOptions.SplitNibbleKeys", value => Bytes(s_cache with { SplitNibbleKeys = value }), (false, true), [false, true], [])
            .Refuses("8", "PageSize", true, () => Bytes(s_cache with { SplitNibbleKeys = true, PageSize = 8 })),

        OptionCase.Of<int?>("TopKBlockOptions.CompressedLength", value => Plan(s_plan with { CompressedLength = value }), (8, 40), [null, 1, int.MaxValue],
            [0, -1]),
        OptionCase.Of<int?>("TopKBlockOptions.CompressedStride", value => Plan(s_plan with { CompressedStride = value }), (1, 16), [null, 1, 16],
            [0, -1, 3, 32]),
        OptionCase.Of<int?>("TopKBlockOptions.BlockLength", value => Plan(s_plan with { BlockLength = value }), (16, 32), [null, 4], [0, -1]),
        OptionCase.Of<int?>("TopKBlockOptions.TopK", value => Plan(s_plan with { TopK = value }), (4, 5), [null, 1, int.MaxValue], [0, -1]),
        OptionCase.Of<int?>("TopKBlockOptions.InitialBlocks", value => Plan(s_plan with { InitialBlocks = value, LocalBlocks = 0 }), (0, 4),
            [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<int?>("TopKBlockOptions.LocalBlocks", value => Plan(s_plan with { InitialBlocks = 0, LocalBlocks = value }), (0, 4),
            [null, 0, int.MaxValue], [-1]),
        OptionCase.Kernel("TopKBlockOptions", kernel => Plan(s_plan with { Kernel = kernel })),

        OptionCase.Of<int?>("TokenSelectOptions.SinkTokens", value => Select(s_few with { SinkTokens = value }), (2, 8), [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<int?>("TokenSelectOptions.RecentTokens", value => Select(s_few with { RecentTokens = value }), (4, 8), [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<int?>("TokenSelectOptions.TopK", value => Select(s_few with { TopK = value }), (4, 5), [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<double?>("TokenSelectOptions.ReuseCosine", value => Select(s_few with { ReuseCosine = value }), (-1, 2),
            [null, double.NegativeInfinity, 0, double.PositiveInfinity], [double.NaN]),
        OptionCase.Of<int?>("TokenSelectOptions.ReuseTokens", value => Select(s_few with { ReuseCosine = -1, ReuseTokens = value }), (null, 0),
            [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<int?>("TokenSelectOptions.PoolWidth", value => Select(s_few with { PoolWidth = value }), (1, 9), [null, 1, int.MaxValue],
            [0, -1, 2, int.MinValue]),
        OptionCase.Of<bool>("TokenSelectOptions.HighNibbles", value => OptionCase.Outcome<ArgumentException>(() => Select(s_few with { HighNibbles = value })),
            (false, true), [false, true], []),

        OptionCase.Of<int?>("SpAttenOptions.KeptValues", value => Prune(new() { KeptValues = value }), (null, 1), [null, 0, int.MaxValue], [-1]),
        OptionCase.Of<float>("SpAttenOptions.RequantizationThreshold", value => Prune(new() { RequantizationThreshold = value }), (0, 0.9f),
            [0, float.Epsilon, 1, float.PositiveInfinity], [-1, -float.Epsilon, float.NaN, float.NegativeInfinity]),
    ];

    private static float[] Waves(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i * i + 7 * seed))];

    private static string Written(float[] output, string _) => OptionCase.Written(output);

    private static string Attend(AttentionOptions options)
    {
        float[] output = new float[8];
        SparseAttention.Attend<float>(s_queries, s_keys, s_values, output, s_heads, options);
        return OptionCase.Text<float>(output);
    }

    private static string Bytes(KvCacheOptions options)
    {
        using var cache = new KvCache(options);
        return $"{cache.ByteCount}";
    }

    private static string Plan(TopKBlockOptions options) =>
        OptionCase.Text(SparseAttention.PlanTopKBlocks(Waves(4 * 8, 4), Waves(256 * 8, 5), new(1, 1, 8), options).Columns);

    // Two steps, a token between them: what is selected, and how often it was scored.
    private static string Select(TokenSelectOptions options)
    {
        using KvCache cache = Filled(s_cache);
        var select = new TokenSelect(options);
        string first = OptionCase.Text(select.Select(Waves(8, 6), cache, 0, default));
        cache.Append(0, Waves(8, 7), Waves(8, 8));
        return $"{first} / {OptionCase.Text(select.Select(Waves(8, 9), cache, 0, default))} / {select.ScoredCount}";
    }

    private static string Prune(SpAttenOptions options)
    {
        using KvCache cache = Filled(s_cache with { SplitNibbleKeys = true });
        var state = new SpAttenState(1, options);
        state.AddTokens(0, 64);
        float[] output = new float[8];
        state.Decode(Waves(8, 6), cache, 0, output);
        return $"{OptionCase.Text<float>(output)} / {state.RequantizedCount}";
    }

    private static KvCache Filled(KvCacheOptions options)
    {
        var cache = new KvCache(options);
        cache.CreateSequence();
        cache.Append(0, Waves(64 * 8, 2), Waves(64 * 8, 3));
        return cache;
    }
}
