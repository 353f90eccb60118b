using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>Rounding of one group of weights to nearest.</summary>
internal static class GroupQuantizer
{
    private const float SmallestNormalHalf = 6.103515625e-5f, SmallestNormal = 1.17549435e-38f; // 2^-14, 2^-126

    /// <summary>The scale and the zero with which the group's extremes are reached, before the scale is rounded to its type.</summary>
    public static (float Scale, int Zero) Fit(ReadOnlySpan<float> weights, QuantizationFormat format)
    {
        (float minimum, float maximum) = Range(weights);
        float scale = Scale(minimum, maximum, format);
        int zero = !format.HasZeroPoints ? format.SymmetricZero : scale == 0 ? 0 : (int)Math.Clamp(MathF.Round(-minimum / scale), 0, format.LargestValue);
        return (scale, zero);
    }

    /// <summary>The scale of a group between these extremes, of which the first is at most and the second at least 0.</summary>
    public static float Scale(float minimum, float maximum, QuantizationFormat format)
    {
        float scale = format.IsCodebook ? Math.Max(-minimum, maximum)
            : format.HasZeroPoints ? maximum / format.LargestValue - minimum / format.LargestValue
            : Math.Max(-minimum, maximum) / format.LargestValue * 2;
        return scale < (format.ScaleType == ScaleType.Float16 ? SmallestNormalHalf : SmallestNormal)
            ? Widened(ExactScale(minimum, maximum, format), scale, format) : scale;
    }

    /// <summary>
    /// Whether a group that is not all zeros has a scale that its type rounds to 0, and would keep less of its weights than four bits do even with the smallest
    /// scale that there is.
    /// </summary>
    public static bool Vanishes(float minimum, float maximum, QuantizationFormat format)
    {
        const int stepsOfFourBits = 8;
        return ExactScale(minimum, maximum, format) is > 0 and var exact && format.RoundedScale((float)exact) == 0
            && Math.Max(-minimum, maximum) < stepsOfFourBits * NextScale(0, format.ScaleType);
    }

    private static double ExactScale(float minimum, float maximum, QuantizationFormat format) =>
        format.IsCodebook ? Math.Max(-minimum, maximum)
        : format.HasZeroPoints ? ((double)maximum - minimum) / format.LargestValue
        : 2.0 * Math.Max(-minimum, maximum) / format.LargestValue;

    // Below its normal numbers a type rounds scales by parts of them that grow. Rounded down by more than half a step in all steps of the range, the end of it
    // is cut off: the next number is better.
    private static float Widened(double exact, float scale, QuantizationFormat format)
    {
        float rounded = format.RoundedScale(scale);
        if (exact - rounded <= exact / (2 * format.LargestValue))
            return scale;
        return NextScale(rounded, format.ScaleType);
    }

    private static float NextScale(float rounded, ScaleType type)
    {
        const int bfloatStep = 1 << 16;
        return type switch
        {
            ScaleType.Float16 => (float)Half.BitIncrement((Half)rounded),
            ScaleType.BFloat16 => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(rounded) + bfloatStep),
            _ => MathF.BitIncrement(rounded),
        };
    }

    /// <summary>q = clamp(round(w / scale) + zero), or the index of the nearest number of the codebook, for the scale as it was rounded.</summary>
    public static void Quantize(ReadOnlySpan<float> weights, float scale, int zero, QuantizationFormat format, Span<byte> values)
    {
        if (format.IsCodebook)
        {
            Codebook.Nearest(format.Type, weights, scale, values);
            return;
        }
        if (scale == 0)
        {
            values[..weights.Length].Fill((byte)zero);
            return;
        }
        int done = 0;
        for (; done <= weights.Length - Vector128<byte>.Count; done += Vector128<byte>.Count)
        {
            Vector256<uint> lower = Quantize(weights[done..], scale, zero, format.LargestValue),
                upper = Quantize(weights[(done + Vector256<float>.Count)..], scale, zero, format.LargestValue);
            Vector256<ushort> shorts = Vector256.Narrow(lower, upper);
            Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).CopyTo(values[done..]);
        }
        for (; done < weights.Length; done++)
            values[done] = (byte)Quantize(weights[done], scale, zero, format.LargestValue);
    }

    private static Vector256<uint> Quantize(ReadOnlySpan<float> weights, float scale, int zero, int largest)
    {
        Vector256<float> steps = Vector256.Round(Vector256.Create(weights) / scale);
        Vector256<int> shifted = Vector256.ConvertToInt32(steps) + Vector256.Create(zero);
        return Vector256.Min(Vector256.Max(shifted, Vector256<int>.Zero), Vector256.Create(largest)).AsUInt32();
    }

    public static int Quantize(float weight, float scale, int zero, int largest) =>
        scale == 0 ? zero : (int)Math.Clamp(MathF.Round(weight / scale) + zero, 0, largest);

    /// <summary>The least and the greatest of the weights and 0.</summary>
    public static (float Minimum, float Maximum) Range(ReadOnlySpan<float> weights)
    {
        float minimum = 0, maximum = 0;
        ReadOnlySpan<Vector256<float>> vectors = MemoryMarshal.Cast<float, Vector256<float>>(weights);
        Vector256<float> least = Vector256<float>.Zero, greatest = least;
        foreach (Vector256<float> vector in vectors)
            (least, greatest) = (Vector256.Min(least, vector), Vector256.Max(greatest, vector));
        for (int lane = 0; lane < Vector256<float>.Count; lane++)
            (minimum, maximum) = (Math.Min(minimum, least[lane]), Math.Max(maximum, greatest[lane]));
        foreach (float weight in weights[(vectors.Length * Vector256<float>.Count)..])
            (minimum, maximum) = (Math.Min(minimum, weight), Math.Max(maximum, weight));
        return (minimum, maximum);
    }
}
