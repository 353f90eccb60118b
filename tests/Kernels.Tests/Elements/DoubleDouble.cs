namespace Kernels.Tests;

/// <summary>A number as the unevaluated sum of two doubles, some 106 bits: the precision in which results in double are judged.</summary>
internal readonly record struct DoubleDouble(double High, double Low)
{
    private static readonly DoubleDouble s_ln2 = new(0.69314718055994528623, 2.319046813846299558e-17);

    public static implicit operator DoubleDouble(double value) => new(value, 0);

    public double ToDouble() => High + Low;

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        double sum = a.High + b.High, part = sum - a.High;
        double error = (a.High - (sum - part)) + (b.High - part) + a.Low + b.Low;
        return Normalize(sum, error);
    }

    public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
    {
        double product = a.High * b.High;
        double error = Math.FusedMultiplyAdd(a.High, b.High, -product) + (a.High * b.Low + a.Low * b.High);
        return Normalize(product, error);
    }

    public static DoubleDouble operator /(DoubleDouble a, DoubleDouble b)
    {
        double quotient = a.High / b.High;
        DoubleDouble rest = a + b * -quotient;
        return Normalize(quotient, rest.High / b.High);
    }

    public static DoubleDouble operator -(DoubleDouble a, DoubleDouble b) => a + new DoubleDouble(-b.High, -b.Low);

    /// <summary>exp(x) for x up to 0 as fraction * 2^exponent, by the Taylor series on |t| at most ln 2 / 2.</summary>
    public static (DoubleDouble Fraction, int Exponent) Exp(DoubleDouble x)
    {
        // Far below the smallest denormal number, and far from where the exponent leaves an int.
        if (x.High < -1e5)
            return (0, 0);
        int exponent = (int)Math.Round(x.High / s_ln2.High);
        DoubleDouble t = x - s_ln2 * exponent, sum = 1;
        // 0.35^28 / 28! is below 2^-140.
        for (int k = 28; k >= 1; k--)
            sum = 1 + sum * t / k;
        return (sum, exponent);
    }

    private static DoubleDouble Normalize(double high, double low)
    {
        double sum = high + low;
        return new(sum, low - (sum - high));
    }
}
