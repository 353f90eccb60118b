namespace Kernels.Gpu;

/// <summary>
/// A sum of exponentials, Value 2^Exponent exp(Shift). The shift is 0 but where a part of a row has its largest logit beyond
/// <see cref="LargestPlainLogit"/>: there it is that logit, because a difference of such logits is exact where it matters, and their exponentials are not.
/// </summary>
internal struct ExtendedSum
{
    /// <summary>Beyond this magnitude, 2^20, the spacing of floats is 1/8 and more.</summary>
    public const float LargestPlainLogit = 1 << 20;

    private const float LargestPlainExponent = LargestPlainLogit / ExtendedExp.Ln2High;
    // A part that is 2^-127 of the other is left out: a float's rounding is 2^-24.
    private const float Negligible = 127f;

    public float Value;
    public float Exponent;
    public float Shift;

    public ExtendedSum(float value, float exponent, float shift)
    {
        Value = value;
        Exponent = exponent;
        Shift = shift;
    }

    /// <summary>The sum of nothing.</summary>
    public static ExtendedSum Empty => new(0f, float.NegativeInfinity, float.NegativeInfinity);

    /// <summary>The sum of a part whose largest logit is plus infinity.</summary>
    public static ExtendedSum Infinite => new(1f, 0f, float.PositiveInfinity);

    /// <summary>Whether nothing but minus infinity was summed.</summary>
    public readonly bool IsEmpty => Value == 0f;

    /// <summary>Whether the probabilities of the row are NaN: it holds NaN or plus infinity.</summary>
    public readonly bool IsUndefined => float.IsNaN(Value) || Shift == float.PositiveInfinity;

    /// <summary>Whether a part was summed with shift 0 that needed another one. False of NaN.</summary>
    public readonly bool NeedsShift => !float.IsNaN(Value) && (Exponent > LargestPlainExponent || Exponent < -LargestPlainExponent);

    /// <summary>2^-distance for an integral distance of 0 or more; 0 from 127 on.</summary>
    public static float Weight(float distance) => GpuOps.PowerOfTwo(distance < Negligible ? -distance : -Negligible);

    /// <summary>The sum of two parts of a row, with respect to the larger shift and then the larger exponent.</summary>
    public static ExtendedSum Merge(ExtendedSum a, ExtendedSum b)
    {
        if (b.IsEmpty)
            return a;
        if (a.IsEmpty)
            return b;
        bool aFirst = a.Shift >= b.Shift;
        ExtendedSum high = aFirst ? a : b, low = aFirst ? b : a;
        // Equal shifts may be infinite.
        var ratio = new ExtendedExp(a.Shift == b.Shift ? 0f : low.Shift - high.Shift);
        float value = low.Value * ratio.Mantissa, exponent = low.Exponent + ratio.Exponent;
        float distance = exponent - high.Exponent;
        return distance > 0f
            ? new ExtendedSum(GpuOps.Fma(high.Value, Weight(distance), value), exponent, high.Shift)
            : new ExtendedSum(GpuOps.Fma(value, Weight(-distance), high.Value), high.Exponent, high.Shift);
    }
}
