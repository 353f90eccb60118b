namespace Kernels.Core.Int8Decomposition;

/// <summary>
/// The rule by which numbers become eight bits: q = round(x (127 / s)) for s the largest magnitude, ties to even, each operation in float. A row of zeros has
/// s = 0 and q = 0. The vector code in the backends does the same operations on the same numbers.
/// </summary>
internal static class AbsMaxRule
{
    /// <summary>The largest quantised magnitude; -128 is never made, but products take it.</summary>
    public const float LargestValue = sbyte.MaxValue;

    // 127 / s overflows for s below 127 / 2^128 = 2^-121.01. So small numbers are raised by 2^64 first, which is exact and brings even the smallest
    // denormal, 2^-149, above that bound.
    private const float SmallestPlain = 7.5231638e-37f; // 2^-120
    private const float Raise = 1.8446744e19f; // 2^64

    /// <summary>The two factors that take x to the scale of q, one after the other. Zeros for s = 0.</summary>
    public static (float Raise, float Factor) FactorsOf(float absMax)
    {
        if (absMax == 0)
            return (0, 0);
        float raise = RaiseOf(absMax);
        return (raise, LargestValue / (absMax * raise));
    }

    /// <summary>The first of the two factors, of a magnitude above 0.</summary>
    public static float RaiseOf(float absMax) => absMax < SmallestPlain ? Raise : 1;

    public static sbyte Quantize(float x, float raise, float factor) => (sbyte)MathF.Round(x * raise * factor);

    /// <summary>
    /// The largest number that still counts as an outlier's opposite: everything below it in magnitude is quantised. Infinity where the threshold is 0.
    /// </summary>
    public static float Limit(float threshold) => threshold == 0 ? float.PositiveInfinity : threshold;
}
