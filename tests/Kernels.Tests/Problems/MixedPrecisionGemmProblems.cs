namespace Kernels.Tests;

/// <summary>Products with packed weights of every format, in both arithmetics where a format has both.</summary>
internal static class MixedPrecisionGemmProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        switch (variant.Types.Split('_')[0])
        {
            case "f32": Run<float>(variant, draw, kernel, results); break;
            case "f16": Run<Half>(variant, draw, kernel, results); break;
            default: Run<BrainFloat16>(variant, draw, kernel, results); break;
        }
    }

    private static void Run<T>(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        (QuantizedType type, WeightSparsity sparsity) = variant.Types.Split('_')[1] switch
        {
            "u4" => (draw.Pick(QuantizedType.U4, QuantizedType.U4ZeroPoint), WeightSparsity.Dense),
            "u8" => (draw.Pick(QuantizedType.U8, QuantizedType.U8ZeroPoint), WeightSparsity.Dense),
            "u4sparse" => (QuantizedType.U4, WeightSparsity.TwoOfFour),
            "u8sparse" => (QuantizedType.U8, WeightSparsity.TwoOfFour),
            "nf4" => (QuantizedType.Nf4, WeightSparsity.Dense),
            _ => (QuantizedType.Fp4, WeightSparsity.Dense),
        };
        int group = draw.Pick(32, 64, 128), inputs = group * draw.Between(1, 4), outputs = draw.Length(200), rows = draw.Pick(1, 2, 3, 5, 8, 9, 17);
        ScaleType scale = draw.Pick(ScaleType.Float16, ScaleType.BFloat16, ScaleType.Float32);
        using QuantizedWeights weights = QuantizedWeights.Pack(draw.Normals<float>(outputs * inputs, 0.1), outputs, inputs, new(type, group, scale, sparsity));
        T[] activations = draw.Normals<T>(rows * inputs, 1), products = new T[rows * outputs];
        float[]? bias = draw.Chance(0.5) ? draw.Normals<float>(outputs, 1) : null;
        bool hasInt8 = type is QuantizedType.U4 or QuantizedType.U8 or QuantizedType.U4ZeroPoint or QuantizedType.U8ZeroPoint
            && sparsity == WeightSparsity.Dense;
        foreach (GemmArithmetic arithmetic in hasInt8 ? MixedPrecisionGemmCases.ArithmeticsOf($"{variant.Backend}/{variant.Implementation}")
            : [GemmArithmetic.Exact])
        {
            MixedPrecisionGemm.Multiply<T>(activations, weights, products, new() { Kernel = kernel, Arithmetic = arithmetic, Bias = bias });
            results.Add<T>(products);
        }
    }
}
