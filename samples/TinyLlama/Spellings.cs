using Kernels;

namespace TinyLlama;

/// <summary>The names that the command line gives to values, exactly as they are spelt.</summary>
internal sealed class Spellings<T>(params (string Name, T Value)[] pairs) where T : notnull
{
    public string NameOf(T value) => pairs.Single(pair => pair.Value.Equals(value)).Name;

    public T ValueOf(string name) => pairs.Single(pair => pair.Name == name).Value;

    public string[] Names => [.. pairs.Select(pair => pair.Name)];
}

internal static class Spellings
{
    public static Spellings<WeightKind> Weights { get; } = new(
        ("f32", WeightKind.F32), ("int8", WeightKind.Int8), ("u4g32", WeightKind.U4G32), ("u4g32-gptq", WeightKind.U4G32Gptq), ("u4g128", WeightKind.U4G128),
        ("u4g128-gptq", WeightKind.U4G128Gptq),
        ("stored", WeightKind.Stored));

    public static Spellings<AttentionKind> Attention { get; } = new(
        ("dense", AttentionKind.Dense), ("tokenselect", AttentionKind.TokenSelect), ("spatten", AttentionKind.SpAtten), ("h2o", AttentionKind.H2O),
        ("blocksparse", AttentionKind.BlockSparse));

    public static Spellings<KeyValueType> KeyValues { get; } =
        new(("f32", KeyValueType.Float32), ("f16", KeyValueType.Float16), ("bf16", KeyValueType.BFloat16), ("int8", KeyValueType.Int8));

    public static Spellings<GemmArithmetic> Activations { get; } = new(("int8", GemmArithmetic.Int8Activations), ("f32", GemmArithmetic.Exact));
}
