namespace Kernels.Tests;

/// <summary>Logits whose exponentials are beyond the type, far from the largest one or near it.</summary>
public sealed class SoftmaxLargeLogitsTests
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<float>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ExponentialsThatOverflowDoNot(string variant)
    {
        foreach (float shift in new[] { 0f, 90f, -90f, 1e4f, -1e4f })
        {
            float[] probabilities = new float[2];
            Softmax.Compute<float>([shift, shift + 10], probabilities, rowLength: 2, new() { Kernel = SoftmaxCases.Force(variant) });
            double less = 1 / (1 + Math.Exp(10)), tolerance = 3e-7;
            Assert.InRange(probabilities[0], less * (1 - tolerance), less * (1 + tolerance));
            Assert.InRange(probabilities[1], (1 - less) * (1 - tolerance), (1 - less) * (1 + tolerance));
        }
    }
}
