using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>Conversions between double, in which row constants are kept, and the compute type (float or double).</summary>
internal static class ComputeType
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble<T>(T value) where T : unmanaged => typeof(T) == typeof(float) ? (float)(object)value : (double)(object)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FromDouble<T>(double value) where T : unmanaged => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;
}
