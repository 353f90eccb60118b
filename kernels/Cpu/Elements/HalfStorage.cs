using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.Elements;

/// <summary>
/// IEEE binary16 storage with float arithmetic. .NET 10 has no conversion instruction to offer, so eight elements at a time by integer and float arithmetic.
/// </summary>
/// <remarks>
/// Layouts: binary16 is 1 sign, 5 exponent (bias 15), 10 fraction bits; binary32 1, 8 (127), 23. Shifting a half's magnitude left by 13 aligns the fractions;
/// the exponents then differ by 127 - 15 = 112, which a multiplication by 2^112 mends for normal and denormal numbers alike.
/// </remarks>
internal readonly unsafe struct HalfStorage : IStorage<Half, float>
{
    private const int FractionShift = 13;
    private const float ExponentGap = 5.192296858534828e33f; // 2^112
    private const uint SingleInfinity = 0x7F800000;
    private const uint HalfMagnitude = 0x7FFF;
    private const uint HalfInfinity = 0x7C00;
    private const uint HalfQuietBit = 0x0200;

    // Where rounding to half gives infinity: 2^16 - 2^4, halfway between the largest half and 2^16.
    private const uint FirstInfinite = 0x477FF000;

    // The smallest normal half, 2^-14; adding 1/2 to a smaller magnitude leaves its denormal bits, rounded, at the bottom of the sum.
    private const uint SmallestNormal = 0x38800000;
    private const uint OneHalf = 0x3F000000;

    // Half the last kept place less one (ties then depend on the last kept bit), and the exponent gap taken off: 0xFFF - (112 << 23).
    private const uint RoundAndRebias = unchecked(0xFFF - (112u << 23));

    public static bool IsComputeType => false;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(Half* source, float* destination, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + Vector128<ushort>.Count <= count; i += Vector128<ushort>.Count)
            {
                Vector128<ushort> bits = Vector128.Load((ushort*)source + i);
                Vector256<uint> wide = Vector256.Create(Vector128.WidenLower(bits), Vector128.WidenUpper(bits));
                Widen(wide).Store(destination + i);
            }
        }
        for (; i < count; i++)
            destination[i] = (float)source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* source, Half* destination, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + Vector128<ushort>.Count <= count; i += Vector128<ushort>.Count)
            {
                Vector256<uint> narrow = Narrow(Vector256.Load(source + i));
                Vector128.Narrow(narrow.GetLower(), narrow.GetUpper()).Store((ushort*)destination + i);
            }
        }
        for (; i < count; i++)
            destination[i] = (Half)source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(Vector256<uint> half)
    {
        Vector256<uint> magnitude = half & Vector256.Create(HalfMagnitude);
        Vector256<uint> sign = (half ^ magnitude) << 16;
        Vector256<uint> finite = ((magnitude << FractionShift).AsSingle() * Vector256.Create(ExponentGap)).AsUInt32();
        Vector256<uint> special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)HalfInfinity - 1)).AsUInt32();
        return (finite | (special & Vector256.Create(SingleInfinity)) | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Narrow(Vector256<float> single)
    {
        Vector256<uint> magnitude = Vector256.Abs(single).AsUInt32();
        Vector256<uint> sign = (single.AsUInt32() ^ magnitude) >> 16;
        Vector256<uint> odd = (magnitude >> FractionShift) & Vector256<uint>.One;
        Vector256<uint> normal = (magnitude + odd + Vector256.Create(RoundAndRebias)) >> FractionShift;
        Vector256<uint> denormal = (magnitude.AsSingle() + Vector256.Create(OneHalf).AsSingle()).AsUInt32() - Vector256.Create(OneHalf);
        Vector256<uint> isNaN = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)SingleInfinity)).AsUInt32();
        Vector256<uint> special = Vector256.Create(HalfInfinity)
            | (isNaN & (Vector256.Create(HalfQuietBit) | ((magnitude >> FractionShift) & Vector256.Create(HalfQuietBit - 1))));
        Vector256<uint> result = Vector256.ConditionalSelect(Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)SmallestNormal)).AsUInt32(),
            denormal, normal);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)FirstInfinite - 1)).AsUInt32(), special, result)
            | sign;
    }
}
