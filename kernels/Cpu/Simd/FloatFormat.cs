using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>
/// The layout of IEEE binary32 and binary64. Inlined by force: in a large kernel the JIT's budget for inlining runs out before these constants, and a call in
/// the loop spills every register.
/// </summary>
internal static class FloatFormat
{
    public const int SingleFractionBits = 23;
    public const int SingleExponentBias = 127;
    public const int DoubleFractionBits = 52;
    public const int DoubleExponentBias = 1023;

    /// <summary>The number of stored fraction bits of T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FractionBits<T>() where T : unmanaged => typeof(T) == typeof(float) ? SingleFractionBits : DoubleFractionBits;

    /// <summary>The exponent bias of T; the smallest normal number is 2^(1 - bias).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ExponentBias<T>() where T : unmanaged => typeof(T) == typeof(float) ? SingleExponentBias : DoubleExponentBias;
}
