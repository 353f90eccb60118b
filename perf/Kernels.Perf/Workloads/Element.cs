using System.Runtime.CompilerServices;

namespace Kernels.Perf;

/// <summary>Conversions of the four element types, and what the benchmarks know of their precision.</summary>
internal static class Element<T> where T : unmanaged
{
    /// <summary>Half a unit in the last place, relative: 2^-p for p significant bits.</summary>
    public static double UnitRoundoff { get; } = Math.ScaleB(1, -SignificantBits);

    /// <summary>The smallest normal number.</summary>
    public static double SmallestNormal { get; } = Math.ScaleB(1, MinimumExponent);

    private static int SignificantBits =>
        typeof(T) == typeof(double) ? 53 : typeof(T) == typeof(float) ? 24 : typeof(T) == typeof(Half) ? 11 : 8;

    private static int MinimumExponent => typeof(T) == typeof(double) ? -1022 : typeof(T) == typeof(Half) ? -14 : -126;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(T value)
    {
        if (typeof(T) == typeof(double))
            return Unsafe.BitCast<T, double>(value);
        if (typeof(T) == typeof(float))
            return Unsafe.BitCast<T, float>(value);
        if (typeof(T) == typeof(Half))
            return (double)Unsafe.BitCast<T, Half>(value);
        return Unsafe.BitCast<T, BrainFloat16>(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FromSingle(float value)
    {
        if (typeof(T) == typeof(double))
            return Unsafe.BitCast<double, T>(value);
        if (typeof(T) == typeof(float))
            return Unsafe.BitCast<float, T>(value);
        if (typeof(T) == typeof(Half))
            return Unsafe.BitCast<Half, T>((Half)value);
        return Unsafe.BitCast<BrainFloat16, T>((BrainFloat16)value);
    }
}
