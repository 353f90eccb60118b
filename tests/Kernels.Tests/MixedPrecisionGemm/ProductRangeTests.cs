namespace Kernels.Tests;

/// <summary>Products whose factors lie far apart.</summary>
public sealed class ProductRangeTests
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.ExactVariants<float>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AHugeActivationTimesADenormalWeightIsExactInAnyCompany(string variant)
    {
        // 2^100 x 2^-130 = 2^-30: both factors and the product are powers of two. A weight is (9 - 8) 2^-130, all others are 0.
        const int inputs = 64, outputs = 33;
        byte[] values = new byte[outputs * inputs];
        Array.Fill(values, (byte)8);
        for (int output = 0; output < outputs; output++)
            values[output * inputs + output] = 9;
        float[] scales = new float[outputs];
        Array.Fill(scales, MathF.ScaleB(1, -130));
        var format = new QuantizationFormat(QuantizedType.U4, inputs, ScaleType.Float32);
        using QuantizedWeights weights = QuantizedWeights.FromQuantized(values, scales, [], outputs, inputs, format);
        float expected = MathF.ScaleB(1, -30);
        foreach (int rows in new[] { 1, 2, 3, 7, 8, 16, 65, 130 })
        {
            float[] activations = new float[rows * inputs], products = new float[rows * outputs];
            Array.Fill(activations, MathF.ScaleB(1, 100));
            MixedPrecisionGemm.Multiply<float>(activations, weights, products, new() { Kernel = MixedPrecisionGemmCases.Force<float>(variant, format) });
            Assert.All(products, product => Assert.Equal(expected, product));
        }
    }
}
