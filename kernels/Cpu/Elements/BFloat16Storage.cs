using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.Elements;

/// <summary>Brain-float storage with float arithmetic: the upper half of a binary32.</summary>
internal readonly unsafe struct BFloat16Storage : IStorage<BrainFloat16, float>
{
    private const int DroppedBits = 16;
    private const uint SingleInfinity = 0x7F800000;
    private const uint QuietBit = 1u << 22;

    // Half the last kept place less one; the last kept bit is added to send ties to even.
    private const uint Rounding = 0x7FFF;

    public static bool IsComputeType => false;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(BrainFloat16* source, float* destination, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + Vector128<ushort>.Count <= count; i += Vector128<ushort>.Count)
            {
                Vector128<ushort> bits = Vector128.Load((ushort*)source + i);
                (Vector256.Create(Vector128.WidenLower(bits), Vector128.WidenUpper(bits)) << DroppedBits).AsSingle().Store(destination + i);
            }
        }
        for (; i < count; i++)
            destination[i] = source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* source, BrainFloat16* destination, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + Vector128<ushort>.Count <= count; i += Vector128<ushort>.Count)
            {
                Vector256<uint> bits = Vector256.Load(source + i).AsUInt32();
                Vector256<uint> rounded = bits + Vector256.Create(Rounding) + ((bits >> DroppedBits) & Vector256<uint>.One);
                Vector256<uint> isNaN = Vector256.GreaterThan(Vector256.Abs(bits.AsSingle()).AsInt32(), Vector256.Create((int)SingleInfinity)).AsUInt32();
                Vector256<uint> result = Vector256.ConditionalSelect(isNaN, bits | Vector256.Create(QuietBit), rounded) >> DroppedBits;
                Vector128.Narrow(result.GetLower(), result.GetUpper()).Store((ushort*)destination + i);
            }
        }
        for (; i < count; i++)
            destination[i] = (BrainFloat16)source[i];
    }
}
