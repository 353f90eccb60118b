namespace Kernels.Tests;

/// <summary>Results against the definition: sizes, magnitudes, special values.</summary>
public sealed class NewFamilyTests
{
    public static TheoryData<string> Variants => NewFamilyCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EverySizeIsWithinTheBound(string variant)
    {
        KernelOptions kernel = NewFamilyCases.Force(variant);
        foreach ((int rows, int width) in NewFamilyCases.Shapes)
        {
            float[] input = new ProblemDraw(width).Normals<float>(rows * width, 1);
            float[] output = NewFamilyCases.Compute(input, width, kernel);
            double[] expected = NewFamilyOracle.Compute(input, width), bounds = NewFamilyOracle.Bounds(input, width);
            for (int i = 0; i < output.Length; i++)
                Assert.True(Math.Abs(output[i] - expected[i]) <= bounds[i], $"{rows} rows of {width}, element {i}: {output[i]:R} for {expected[i]:R}");
        }
    }

    [Fact]
    public void SpecialValuesAreWhatThePageSays() =>
        Assert.Fail("NewFamilyTests: NaN, infinities, denormal numbers, rows that are left out, and no rows at all");
}
