using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// Rounds the activations of one row and segment to eight bits: scale = max|x| / 127, value = round(x / scale), ties to even. Every register width gives the
/// same bits, since each element goes through the same operations. A scale that is no normal number is rounded up, so that values stay within 127, and
/// activations and scale are raised by 2^64, which is exact, before they are divided.
/// </summary>
internal static unsafe class ActivationRounding
{
    private const float LargestValue = sbyte.MaxValue;

    // The smallest normal number: a smaller scale has no finite reciprocal to count on.
    private const float SmallestNormal = 1.17549435e-38f;
    private const float Raise = 1.8446744e19f; // 2^64

    /// <param name="source"><paramref name="count"/> floats, and zeros behind them up to a multiple of 8; may be raised in place.</param>
    /// <param name="destination">As many bytes, padding included.</param>
    /// <param name="count">The number of floats with their padding: a multiple of 8.</param>
    /// <returns>The scale, and the sum of the values. NaN and infinities give the scale NaN, and with it NaN results.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Scale, float Sum) Round(float* source, sbyte* destination, int count)
    {
        Vector256<float> largest = Vector256<float>.Zero;
        for (int i = 0; i < count; i += Vector256<float>.Count)
            largest = Vector256.Max(largest, Vector256.Abs(Vector256.Load(source + i)));
        float magnitude = MaxAcross(largest), scale = magnitude / LargestValue, divisor = scale;
        if (magnitude == 0 || !float.IsFinite(magnitude))
        {
            new Span<sbyte>(destination, count).Clear();
            return (magnitude == 0 ? 0 : float.NaN, 0);
        }
        if (scale < SmallestNormal)
        {
            scale = RoundedUp(magnitude, scale);
            divisor = scale * Raise;
            for (int i = 0; i < count; i += Vector256<float>.Count)
                (Vector256.Load(source + i) * Raise).Store(source + i);
        }
        Vector256<float> reciprocal = Vector256.Create(1 / divisor);
        Vector256<int> sum = Vector256<int>.Zero;
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            Vector256<int> rounded = Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(source + i) * reciprocal));
            sum += rounded;
            Vector128<short> shorts = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
            *(ulong*)(destination + i) = Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar();
        }
        return (scale, Vector256.Sum(sum));
    }

    // The least number of which the magnitude is no more than 127.
    private static float RoundedUp(float magnitude, float scale) => (double)scale * LargestValue < magnitude ? MathF.BitIncrement(scale) : scale;

    private static float MaxAcross(Vector256<float> values)
    {
        float largest = 0;
        for (int i = 0; i < Vector256<float>.Count; i++)
            largest = MathF.Max(largest, values[i]);
        return largest;
    }
}
