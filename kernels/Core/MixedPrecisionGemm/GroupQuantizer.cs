namespace Kernels;

/// <summary>Rounding of one group of weights to nearest.</summary>
internal static class GroupQuantizer
{
    /// <summary>The scale and the zero with which the group's extremes are reached, before the scale is rounded to its type.</summary>
    public static (float Scale, int Zero) Fit(ReadOnlySpan<float> weights, QuantizationFormat format)
    {
        float minimum = 0, maximum = 0;
        foreach (float weight in weights)
        {
            minimum = Math.Min(minimum, weight);
            maximum = Math.Max(maximum, weight);
        }
        float scale = format.HasZeroPoints
            ? maximum / format.LargestValue - minimum / format.LargestValue
            : Math.Max(-minimum, maximum) / format.LargestValue * 2;
        QuantizedWeightsChecks.ScaleFits(scale, format.ScaleType, nameof(weights));
        int zero = !format.HasZeroPoints ? format.SymmetricZero : scale == 0 ? 0 : (int)Math.Clamp(MathF.Round(-minimum / scale), 0, format.LargestValue);
        return (scale, zero);
    }

    public static int Quantize(float weight, float scale, int zero, int largest) =>
        scale == 0 ? zero : (int)Math.Clamp(MathF.Round(weight / scale) + zero, 0, largest);
}
