namespace Kernels.Tests;

/// <summary>Attention over arrays and caches, forward and backward, with masks, windows, caps and slopes.</summary>
internal static class SparseAttentionProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        int group = draw.Pick(1, 2, 4), keyHeads = draw.Between(1, 3);
        var shape = new AttentionShape(group * keyHeads, keyHeads, draw.Pick(8, 16, 40, 64, 80, 128));
        switch (variant.Types)
        {
            case "f32" when draw.Chance(0.7): Arrays<float>(shape, draw, kernel, results); break;
            case "f32_f16_f32" when draw.Chance(0.5): Arrays<Half>(shape, draw, kernel, results); break;
            case "f32_bf16_f32" when draw.Chance(0.5): Arrays<BrainFloat16>(shape, draw, kernel, results); break;
            default: Cached(variant, shape, draw, kernel, results); break;
        }
    }

    private static void Arrays<T>(AttentionShape shape, ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int queryCount = draw.Pick(1, 2, 63, 64, 65, 100), keyCount = queryCount + draw.Pick(0, 1, 31, 64, 130);
        float[] queries = draw.Normals<float>(queryCount * shape.QueryHeads * shape.HeadDimension, 1);
        T[] keys = draw.Normals<T>(keyCount * shape.KeyValueHeads * shape.HeadDimension, 1), values = draw.Normals<T>(keys.Length, 1);
        float[] output = new float[queries.Length], logSumExp = new float[queryCount * shape.QueryHeads];
        bool causal = draw.Chance(0.5);
        var options = new AttentionOptions
        {
            Kernel = kernel,
            Causal = causal,
            Window = causal && draw.Chance(0.5) ? draw.Between(1, keyCount) : 0,
            SoftCap = draw.Chance(0.2) ? 20 : 0,
            AlibiSlopes = draw.Chance(0.2) ? draw.Normals<float>(shape.QueryHeads, 0.1) : default,
            AdditiveMask = draw.Chance(0.2) ? draw.Normals<float>(queryCount * keyCount, 2) : default,
            BlockMask = draw.Chance(0.3) ? BlockMask.BigBird(new(queryCount, keyCount, 64, 64), 1, 1, 1, draw.Seed) : null,
            LogSumExp = logSumExp,
        };
        SparseAttention.Attend<T>(queries, keys, values, output, shape, options);
        results.Add<float>(output);
        results.Add<float>(logSumExp);
        if (options.AdditiveMask.IsEmpty && draw.Chance(0.5))
            Backward(shape, draw, results, options with { LogSumExp = default }, queries, keys, values, output, logSumExp);
    }

    private static void Backward<T>(
        AttentionShape shape, ProblemDraw draw, ResultHash results, AttentionOptions options, float[] queries, T[] keys, T[] values, float[] output,
        float[] logSumExp)
        where T : unmanaged
    {
        float[] byQueries = new float[queries.Length], byKeys = new float[keys.Length], byValues = new float[values.Length];
        SparseAttention.Backward<T>(draw.Normals<float>(output.Length, 1), queries, keys, values, output, logSumExp, byQueries, byKeys, byValues, shape,
            options);
        results.Add<float>(byQueries);
        results.Add<float>(byKeys);
        results.Add<float>(byValues);
    }

    private static void Cached(KernelVariant variant, AttentionShape shape, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        int tokens = draw.Pick(1, 15, 16, 17, 64, 100, 333);
        KeyValueType type = variant.Types switch
        {
            "f32" => KeyValueType.Float32,
            "f32_f16_f32" => KeyValueType.Float16,
            "f32_bf16_f32" =>
            KeyValueType.BFloat16,
            _ => KeyValueType.Int8
        };
        using var cache = new KvCache(new()
        {
            KeyValueHeads = shape.KeyValueHeads,
            HeadDimension = shape.HeadDimension,
            PageCount = tokens / 16 + 1,
            Type = type
        });
        int sequence = cache.CreateSequence(), elements = tokens * shape.KeyValueHeads * shape.HeadDimension;
        cache.Append(sequence, draw.Normals<float>(elements, 1), draw.Normals<float>(elements, 1));
        float[] queries = draw.Normals<float>(shape.QueryHeads * shape.HeadDimension, 1), output = new float[queries.Length];
        SparseAttention.Decode(queries, cache, sequence, output, null, new() { Kernel = kernel, SoftCap = draw.Chance(0.2) ? 20 : 0 });
        results.Add<float>(output);
    }
}
