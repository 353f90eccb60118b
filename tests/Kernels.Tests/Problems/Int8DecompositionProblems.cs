namespace Kernels.Tests;

/// <summary>Eight-bit products with and without outliers, in both scopes.</summary>
internal static class Int8DecompositionProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        switch (variant.Types.Split('_')[0])
        {
            case "f32": Run<float>(draw, kernel, results); break;
            case "f16": Run<Half>(draw, kernel, results); break;
            default: Run<BrainFloat16>(draw, kernel, results); break;
        }
    }

    private static void Run<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int inputs = draw.Length(600), outputs = draw.Length(200), rows = draw.Pick(1, 2, 3, 7, 8, 9, 16, 17);
        Int8Weights weights = Int8Weights.Pack(draw.Normals<float>(outputs * inputs, 0.1), outputs, inputs);
        T[] activations = draw.Normals<T>(rows * inputs, draw.Pick(1.0, 3.0)), products = new T[rows * outputs];
        float[]? bias = draw.Chance(0.5) ? draw.Normals<float>(outputs, 1) : null;
        Int8Decomposition.Multiply<T>(activations, weights, products, new()
        {
            Kernel = kernel,
            Bias = bias,
            Threshold = draw.Pick(0f, 2.5f, 6f),
            Outliers = draw.Pick(OutlierScope.PerRow, OutlierScope.BatchColumns),
        });
        results.Add<T>(products);
    }
}
