namespace Kernels.Tests;

/// <summary>Sums in which every rounding loses as much as it can: the counted bound is nearly reached, and not passed.</summary>
public sealed class MixedPrecisionGemmBoundTests
{
    private const float Unit = 1f / (1 << 24);
    private const int SegmentInputs = 128;

    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<float>();

    public static TheoryData<string> ExactVariants => MixedPrecisionGemmCases.ExactVariants<float>();

    // 1 + u is a tie that goes to 1, and so do all that follow it: 127 u are lost.
    [SkippableTheory]
    [MemberData(nameof(ExactVariants))]
    public void OneAndManyThatAreTooSmallForIt(string variant)
    {
        float[] activations = [.. Enumerable.Repeat(Unit, SegmentInputs)];
        activations[0] = 1;
        Check(variant, activations, GemmArithmetic.Exact, outputs: 64, lost: SegmentInputs - 1);
    }

    // Sums of segments, each exact, are added to 1 one after another: 0.9 u of each of 63 are lost.
    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void OneSegmentAndManyThatAreTooSmallForIt(string variant)
    {
        const int segments = 64;
        var activations = new float[SegmentInputs * segments];
        for (int segment = 0; segment < segments; segment++)
            activations[segment * SegmentInputs] = segment == 0 ? 1 : 0.9f * Unit;
        Check(variant, activations, GemmArithmetic.Int8Activations, outputs: 1024, lost: 0.9 * (segments - 1));
    }

    // Weights of 1.
    private static void Check(string variant, float[] activations, GemmArithmetic arithmetic, int outputs, double lost)
    {
        const byte one = 9;
        KernelOptions kernel = MixedPrecisionGemmCases.Force<float>(variant, QuantizedType.U4);
        int inputs = activations.Length;
        byte[] values = [.. Enumerable.Repeat(one, outputs * inputs)];
        float[] scales = [.. Enumerable.Repeat(1f, outputs * (inputs / SegmentInputs))];
        using QuantizedWeights weights = QuantizedWeights.FromQuantized(values, scales, [], outputs, inputs, new(QuantizedType.U4));
        foreach (int rows in new[] { 1, 7 })
        {
            float[] batch = [.. Enumerable.Repeat(activations, rows).SelectMany(row => row)];
            float[] actual = MixedPrecisionGemmCases.Multiply<float>(batch, weights, arithmetic, kernel);
            MixedPrecisionGemmOracle.Of<float>(batch, weights, arithmetic).Check<float>(actual, $"{variant}, {rows} rows");
            Assert.InRange((activations.Sum(a => (double)a) - actual[^1]) / Unit, 0.99 * lost, 1.01 * lost);
        }
    }
}
