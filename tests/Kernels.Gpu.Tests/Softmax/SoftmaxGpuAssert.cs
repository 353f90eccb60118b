using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>The accuracy that SoftmaxGpu documents.</summary>
internal static class SoftmaxGpuAssert
{
    private const double Relative = 1e-6, Absolute = 1e-6;
    private const double FloatRounding = 1.0 / (1 << 24), SmallestFloat = 1.401298464324817e-45;

    /// <summary>Within 1e-6 relative, or the one rounding of a denormal.</summary>
    public static void Probability(double expected, float actual) => Near(expected, actual, (Relative * Math.Abs(expected)) + SmallestFloat);

    /// <summary>Within 1e-6 absolute beyond the rounding of the result, which may be to infinity.</summary>
    public static void Logarithm(double expected, float actual) =>
        Near(float.IsInfinity((float)expected) ? (float)expected : expected, actual, Absolute + (FloatRounding * Math.Abs(expected)));

    public static void Row(double[] expected, ReadOnlySpan<float> actual, bool isLog)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (isLog)
                Logarithm(expected[i], actual[i]);
            else
                Probability(expected[i], actual[i]);
        }
    }

    private static void Near(double expected, float actual, double tolerance)
    {
        if (double.IsFinite(expected))
            Assert.True(Math.Abs(expected - actual) <= tolerance,
                $"expected {expected:g9}, got {actual:g9}: off by {Math.Abs(expected - actual):g3}, allowed {tolerance:g3}");
        else
            Assert.Equal(expected, actual);
    }
}
