namespace Kernels.Tests;

/// <summary>Seeded problems of the family: shapes at tile edges, options, special values.</summary>
internal static class NewFamilyProblems
{
    public static void Run(KernelVariant _, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        int width = draw.Length(300);
        results.Add<float>(NewFamilyCases.Compute(draw.Values<float>(draw.Between(1, 9) * width, draw.Pick(0.1, 1, 30)), width, kernel));
    }
}
