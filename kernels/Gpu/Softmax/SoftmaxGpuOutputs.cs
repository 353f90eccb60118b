using ILGPU;

namespace Kernels.Gpu;

/// <summary>What the second pass makes of a logit, given the row's sum: a type argument of kernels.</summary>
internal interface ISoftmaxGpuOutput
{
    /// <summary>What is computed once a row.</summary>
    static abstract SoftmaxGpuRow Prepare(ExtendedSum sum, bool safe);

    /// <summary>The output at logit <paramref name="z"/>.</summary>
    static abstract float Apply(float z, SoftmaxGpuRow row);
}

/// <summary>The numbers the second pass needs of a row; each output says what they mean.</summary>
internal readonly struct SoftmaxGpuRow(ExtendedSum sum, float first, float second)
{
    public readonly ExtendedSum Sum = sum;
    public readonly float First = first;
    public readonly float Second = second;
}

/// <summary>exp(z) / sum: First is 1 / Value. Never above 1, and exactly 1 of a row that is a single term.</summary>
internal readonly struct SoftmaxGpuProbabilities : ISoftmaxGpuOutput
{
    // The smallest float is 2^-149; a mantissa over a sum of up to 2^31 terms does not reach this power of two.
    private const float SmallestPower = -200f;

    public static SoftmaxGpuRow Prepare(ExtendedSum sum, bool safe)
    {
        var none = new ExtendedSum(0f, 0f, 0f);
        if (sum.IsUndefined || (sum.IsEmpty && !safe))
            return new SoftmaxGpuRow(none, float.NaN, 0f);
        return sum.IsEmpty ? new SoftmaxGpuRow(none, 0f, 0f) : new SoftmaxGpuRow(sum, GpuOps.Reciprocal(sum.Value), 0f);
    }

    public static float Apply(float z, SoftmaxGpuRow row)
    {
        var exponential = new ExtendedExp(z - row.Sum.Shift);
        float power = exponential.Exponent - row.Sum.Exponent;
        power = power < SmallestPower ? SmallestPower : power;
        // In two steps, of which only the second can leave the normal range: a denormal result is rounded once.
        float half = (int)power >> 1;
        // What the product with the reciprocal leaves of the quotient is put back: Value / Value is 1.
        float quotient = exponential.Mantissa * row.First;
        quotient = GpuOps.Fma(GpuOps.Fma(-quotient, row.Sum.Value, exponential.Mantissa), row.First, quotient);
        float probability = quotient * GpuOps.PowerOfTwo(half) * GpuOps.PowerOfTwo(power - half);
        // The sum's own rounding may take it below its largest term.
        return probability > 1f ? 1f : probability;
    }
}

/// <summary>z - log sum: First + Second is the logarithm less the shift, in two floats. Never above 0, and exactly 0 where the term of z is the sum.</summary>
internal readonly struct SoftmaxGpuLogProbabilities : ISoftmaxGpuOutput
{
    private const int MantissaBits = 23, ExponentBias = 127;
    private const uint MantissaMask = (1u << MantissaBits) - 1, One = (uint)ExponentBias << MantissaBits;
    private const float SquareRootOfTwo = 1.41421356f;

    public static SoftmaxGpuRow Prepare(ExtendedSum sum, bool safe)
    {
        var none = new ExtendedSum(0f, 0f, 0f);
        if (sum.IsUndefined || (sum.IsEmpty && !safe))
            return new SoftmaxGpuRow(none, float.NaN, 0f);
        return sum.IsEmpty ? new SoftmaxGpuRow(none, 0f, 0f) : Logarithm(sum);
    }

    public static float Apply(float z, SoftmaxGpuRow row)
    {
        var term = new ExtendedExp(z - row.Sum.Shift);
        if (term.Mantissa == row.Sum.Value && term.Exponent == row.Sum.Exponent)
            return 0f;
        // Knuth's exact difference: what rounding took from x - First is put back before the result is rounded.
        float x = z - row.Sum.Shift, difference = x - row.First, taken = difference - x;
        float lost = x - (difference - taken) - (row.First + taken);
        float logarithm = difference == float.NegativeInfinity ? difference : difference + (lost - row.Second);
        return logarithm > 0f ? 0f : logarithm;
    }

    /// <summary>log sum exp(z): minus infinity of nothing, plus infinity of a row with it and no NaN.</summary>
    public static float LogSumExp(ExtendedSum sum)
    {
        if (sum.IsEmpty)
            return float.NegativeInfinity;
        if (sum.IsUndefined)
            return sum.Value + sum.Shift;
        SoftmaxGpuRow row = Logarithm(sum);
        return row.Sum.Shift + row.First + row.Second;
    }

    // log(Value 2^Exponent) = k ln 2 + log(m) with Value 2^Exponent = m 2^k and m within [sqrt(1/2), sqrt(2)].
    private static SoftmaxGpuRow Logarithm(ExtendedSum sum)
    {
        uint bits = Interop.FloatAsInt(sum.Value);
        float k = sum.Exponent + ((int)(bits >> MantissaBits) - ExponentBias);
        float m = Interop.IntAsFloat((bits & MantissaMask) | One);
        if (m > SquareRootOfTwo)
        {
            m *= 0.5f;
            k += 1f;
        }
        float product = k * ExtendedExp.Ln2High;
        float rest = GpuOps.Fma(k, ExtendedExp.Ln2High, -product);
        rest = GpuOps.Fma(k, ExtendedExp.Ln2Low, rest) + LogNearOne(m);
        float high = product + rest;
        return new SoftmaxGpuRow(sum, high, rest - (high - product));
    }

    // log(m) = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1), |s| < 0.172: the first term left out is below 8e-10.
    private static float LogNearOne(float m)
    {
        float s = (m - 1f) * GpuOps.Reciprocal(m + 1f);
        float s2 = s * s;
        float p = GpuOps.Fma(s2, 2f / 9f, 2f / 7f);
        p = GpuOps.Fma(p, s2, 2f / 5f);
        p = GpuOps.Fma(p, s2, 2f / 3f);
        return GpuOps.Fma(p * s2, s, 2f * s);
    }
}
