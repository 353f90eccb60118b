namespace Kernels.Gpu;

/// <summary>Functions whose error is known on every device. ILGPU's own become approximations of about 2^-11 in PTX, without being asked.</summary>
internal static class GpuMath
{
    /// <summary>exp(-|a|), within 2 units in the last place; 0 from about 88 on.</summary>
    private static float Decay(float a)
    {
        const float smallestExponent = -127f;
        var e = new ExtendedExp(a > 0 ? -a : a);
        return e.Mantissa * GpuOps.PowerOfTwo(e.Exponent < smallestExponent ? smallestExponent : e.Exponent);
    }

    /// <summary>exp(a), within 2 units in the last place among the normal numbers, and rounded to denormals; infinity from about 89 on, NaN for NaN.</summary>
    public static float Exp(float a)
    {
        const float smallestExponent = -126f, largestExponent = 127f;
        var e = new ExtendedExp(a);
        // In two steps, of which only the second can leave the normal range.
        float first = e.Exponent < smallestExponent ? smallestExponent : e.Exponent > largestExponent ? largestExponent : e.Exponent;
        float rest = e.Exponent - first;
        rest = rest < smallestExponent ? smallestExponent : rest > largestExponent ? largestExponent : rest;
        return e.Mantissa * GpuOps.PowerOfTwo(first) * GpuOps.PowerOfTwo(rest);
    }

    /// <summary>1 / (1 + exp(-a)), within 4 units in the last place of 1; NaN for NaN.</summary>
    public static float Sigmoid(float a)
    {
        float e = Decay(a);
        return GpuOps.Divide(a < 0 ? e : 1f, 1f + e);
    }

    /// <summary>tanh a, within 5 units in the last place; NaN for NaN.</summary>
    public static float Tanh(float a)
    {
        // Odd series: the first term left out is below 1.2e-8 of the sum within the limit.
        const float seriesLimit = 0.35f;
        const float c3 = -1f / 3, c5 = 2f / 15, c7 = -17f / 315, c9 = 62f / 2835, c11 = -1382f / 155925;
        float magnitude = a < 0 ? -a : a;
        if (magnitude < seriesLimit)
        {
            float square = a * a, series = GpuOps.Fma(GpuOps.Fma(GpuOps.Fma(GpuOps.Fma(c11, square, c9), square, c7), square, c5), square, c3);
            return GpuOps.Fma(a * square, series, a);
        }
        float e = Decay(2f * a), ratio = GpuOps.Divide(1f - e, 1f + e);
        return a < 0 ? -ratio : ratio;
    }
}
