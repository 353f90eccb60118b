namespace Kernels.Tests;

/// <summary>The error of sums at ten million elements, where the published two-pass kernels are off by 2e-4 to 3e-3.</summary>
public sealed class SoftmaxAccuracyTests
{
    private const int Length = 10_000_000;

    public static TheoryData<string> Variants => SoftmaxCases.Variants<float>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SumOfTenMillionTermsIsWithin3E7(string variant)
    {
        Skip.If(KernelInfo.Catalogue.SelectMany(d => d.Variants).Single(v => v.Identity == variant).Availability == VariantAvailability.Emulated,
            $"{variant}: ten million elements in software take minutes");
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        var logits = new float[Length];
        var logSumExp = new float[1];
        var random = new Random(1);
        Func<int, float>[] shapes =
        [
            _ => (float)(random.NextDouble() * 20 - 10), // as in the fact sheet's table
            _ => 0.1f, // every term has the same error
            i => i * 2e-6f, // ascending: the reference moves all the way
            i => i == 0 ? 17.3f : 0, // one term so large that each of the others is below its unit in the last place
        ];
        foreach (Func<int, float> shape in shapes)
        {
            for (int i = 0; i < Length; i++)
                logits[i] = shape(i);
            double sum = 0;
            foreach (float x in logits)
                sum += Math.Exp(x);
            Softmax.LogSumExp<float>(logits, logSumExp, Length, new() { Kernel = kernel });
            // The result itself is rounded to float: an absolute error of 2^-24 of its size.
            double bound = 3e-7 + Math.Log(sum) * Math.ScaleB(1, -24);
            Assert.InRange(Math.Exp(logSumExp[0] - Math.Log(sum)) - 1, -bound, bound);
            AssertProbabilities(logits, sum, kernel, variant);
        }
    }

    // The sum's error is seen without that rounding in the probabilities of the row.
    private static void AssertProbabilities(float[] logits, double sum, KernelOptions kernel, string variant)
    {
        var probabilities = new float[Length];
        Softmax.Compute<float>(logits, probabilities, Length, new() { Kernel = kernel });
        double worst = 0;
        for (int i = 0; i < Length; i++)
        {
            double expected = Math.Exp(logits[i]) / sum;
            worst = Math.Max(worst, Math.Abs(probabilities[i] - expected) / expected);
        }
        Assert.True(worst <= 3e-7, $"{variant}: largest relative error {worst:E3}");
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void OneLargeTermDoesNotSwallowTheOthers(string variant)
    {
        // 2047 terms of just under half a unit in the last place of the first: a sum in float would lose those of its lane.
        KernelOptions kernel = SoftmaxCases.Force(variant);
        float[] logits = [17.33f, .. new float[2047]], probabilities = new float[2048];
        Softmax.Compute<float>(logits, probabilities, 2048, new() { Kernel = kernel });
        SoftmaxOracle.Row expected = SoftmaxOracle.Of(Element.ToDoubles<float>(logits), safe: false, wide: false);
        SoftmaxAssert.Probabilities<float>(expected.Probabilities, probabilities, variant);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void VariantsAgreeWithEachOther(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        float[] logits = SoftmaxCases.Logits<float>(50_000, 6, 9), expected = new float[logits.Length], actual = new float[logits.Length];
        Softmax.Compute<float>(logits, expected, 5000, new() { Kernel = new() { Variant = "softmax/f32/cpu/scalar" } });
        Softmax.Compute<float>(logits, actual, 5000, new() { Kernel = kernel });
        // Each is within 3e-7 of the truth.
        for (int i = 0; i < logits.Length; i++)
            Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, 2 * 3e-7 * expected[i] + float.Epsilon);
    }
}
