using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Int8Decomposition;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The loops of <see cref="AbsMaxRule"/>. Every register width gives the same bits, since each element goes through the same operations. Magnitudes are
/// compared as the integers that their bits are: NaN then stands above infinity, and both above every limit.
/// </summary>
internal static unsafe class RowQuantizer
{
    private const int MagnitudeBits = int.MaxValue;

    /// <summary>
    /// The largest magnitude below the limit, and no less than <paramref name="largest"/>; an element that is not below it sets its byte in
    /// <paramref name="outliers"/>.
    /// </summary>
    /// <param name="source">Elements.</param>
    /// <param name="count">Their number.</param>
    /// <param name="limit">Above 0; may be infinity.</param>
    /// <param name="largest">Of the elements before.</param>
    /// <param name="outliers">A byte for each element, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Largest(float* source, int count, float limit, float largest, byte* outliers)
    {
        int bound = BitConverter.SingleToInt32Bits(limit), found = BitConverter.SingleToInt32Bits(largest), i = 0;
        Vector256<int> bounds = Vector256.Create(bound), best = Vector256.Create(found);
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            Vector256<int> bits = Vector256.Load((int*)source + i) & Vector256.Create(MagnitudeBits), below = Vector256.LessThan(bits, bounds);
            best = Vector256.Max(best, bits & below);
            if (outliers != null && below != Vector256<int>.AllBitsSet)
                Mark(bits, bound, outliers + i);
        }
        for (int lane = 0; lane < Vector256<int>.Count; lane++)
            found = Math.Max(found, best.GetElement(lane));
        for (; i < count; i++)
        {
            int bits = ((int*)source)[i] & MagnitudeBits;
            if (bits < bound)
                found = Math.Max(found, bits);
            else if (outliers != null)
                outliers[i] = 1;
        }
        return BitConverter.Int32BitsToSingle(found);
    }

    /// <summary>Quantises elements below the limit; the others become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(float* source, int count, float limit, float raise, float factor, sbyte* values)
    {
        int bound = BitConverter.SingleToInt32Bits(limit), i = 0;
        Vector256<int> bounds = Vector256.Create(bound);
        Vector256<float> raises = Vector256.Create(raise), factors = Vector256.Create(factor);
        for (; i + Vector256<short>.Count <= count; i += Vector256<short>.Count)
        {
            Vector256<int> low = Rounded(source + i, bounds, raises, factors), high = Rounded(source + i + Vector256<float>.Count, bounds, raises, factors);
            Vector256<short> shorts = Vector256.Narrow(low, high);
            Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).Store(values + i);
        }
        for (; i < count; i++)
            values[i] = (((int*)source)[i] & MagnitudeBits) < bound ? AbsMaxRule.Quantize(source[i], raise, factor) : (sbyte)0;
    }

    /// <summary>The same with a limit and factors for each element: a row of a matrix that is quantised by columns.</summary>
    public static void QuantizeByColumn(float* source, int count, float limit, float* raises, float* factors, sbyte* values)
    {
        for (int i = 0; i < count; i++)
            values[i] = Math.Abs(source[i]) < limit ? AbsMaxRule.Quantize(source[i], raises[i], factors[i]) : (sbyte)0;
    }

    /// <summary>largest[i] = max(largest[i], |source[i]|) where that is below the limit.</summary>
    public static void LargestByColumn(float* source, int count, float limit, float* largest)
    {
        for (int i = 0; i < count; i++)
        {
            float magnitude = Math.Abs(source[i]);
            if (magnitude < limit && magnitude > largest[i])
                largest[i] = magnitude;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Rounded(float* source, Vector256<int> bounds, Vector256<float> raises, Vector256<float> factors)
    {
        Vector256<int> bits = Vector256.Load((int*)source), below = Vector256.LessThan(bits & Vector256.Create(MagnitudeBits), bounds);
        return Vector256.ConvertToInt32Native(Vector256.Round((bits & below).AsSingle() * raises * factors));
    }

    private static void Mark(Vector256<int> magnitudes, int bound, byte* outliers)
    {
        for (int lane = 0; lane < Vector256<int>.Count; lane++)
        {
            if (magnitudes.GetElement(lane) >= bound)
                outliers[lane] = 1;
        }
    }
}
