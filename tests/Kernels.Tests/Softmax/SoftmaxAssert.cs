namespace Kernels.Tests;

/// <summary>Comparisons with the oracle, with bounds derived from the roundings that a result goes through.</summary>
internal static class SoftmaxAssert
{
    /// <summary>
    /// The promised relative error of a probability. Counted in unit roundoffs: numerator 1.3, quotient 1, sum of rounded numerators 1.3 + 1; below 5, which is
    /// 3e-7 in float. In double, where no wider type holds the reciprocal and the sum, 1 more.
    /// </summary>
    public static double RelativeBound<T>() where T : unmanaged => typeof(T) == typeof(double) ? 6 * Math.ScaleB(1, -53) : 3e-7;

    public static void Probabilities<T>(double[] expected, ReadOnlySpan<T> actual, string context, double logitError = 0) where T : unmanaged
    {
        // An error d of every logit moves a probability by at most a factor exp(2 d).
        double relative = RelativeBound<T>() + Element.StorageRoundoff<T>() + Math.Exp(2 * logitError) - 1;
        for (int i = 0; i < expected.Length; i++)
            Close(expected[i], Element.ToDouble(actual[i]), relative * Math.Abs(expected[i]) + Element.SmallestDenormal<T>(), context, i);
    }

    public static void LogProbabilities<T>(double[] expected, ReadOnlySpan<T> actual, string context, double logitError = 0) where T : unmanaged
    {
        for (int i = 0; i < expected.Length; i++)
        {
            // A log-probability may lie beyond what half precision holds.
            double representable = Math.Abs(expected[i]) > Element.Largest<T>() ? Math.CopySign(double.PositiveInfinity, expected[i]) : expected[i];
            Close(representable, Element.ToDouble(actual[i]), LogarithmBound<T>(Math.Abs(expected[i])) + 2 * logitError + Element.SmallestDenormal<T>(),
                context, i);
        }
    }

    /// <summary>Of a log-sum-exp; in double, it is the sum of the largest logit and the rest and has the roundings of both.</summary>
    public static void Logarithm<T>(double expected, T actual, double largest, string context, double logitError = 0) where T : unmanaged =>
        Close(expected, Element.ToDouble(actual), LogarithmBound<T>(Math.Abs(expected) + (typeof(T) == typeof(double) ? Math.Abs(largest) : 0)) + logitError,
        context, 0);

    /// <summary>
    /// The promised absolute error of a logarithm: the bound of a probability and the rounding of the result; in double, which no wider type serves, 6 u (1 +
    /// size).
    /// </summary>
    private static double LogarithmBound<T>(double size) where T : unmanaged =>
        typeof(T) == typeof(double) ? RelativeBound<T>() * (1 + size) : RelativeBound<T>() + (Element.ComputeRoundoff<T>() + Element.StorageRoundoff<T>())
        * size;

    private static void Close(double expected, double actual, double bound, string context, int index)
    {
        bool same = double.IsFinite(expected) ? Math.Abs(expected - actual) <= bound : expected.Equals(actual);
        Assert.True(same, $"{context}: element {index} is {actual:R}, expected {expected:R} within {bound:R}");
    }
}
