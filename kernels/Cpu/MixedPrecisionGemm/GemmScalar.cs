using System.Runtime.CompilerServices;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>One lane, without SIMD.</summary>
internal readonly unsafe struct GemmSimdScalar : IGemmSimd<uint>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes
    {
        [MethodImpl(Inline)]
        get => 1;
    }

    public static int TileRows
    {
        [MethodImpl(Inline)]
        get => 4;
    }

    public static uint Zero
    {
        [MethodImpl(Inline)]
        get => 0;
    }

    [MethodImpl(Inline)]
    public static uint Load(void* source) => *(uint*)source;

    [MethodImpl(Inline)]
    public static void Store(uint value, void* destination) => *(uint*)destination = value;

    [MethodImpl(Inline)]
    public static uint Broadcast(float value) => BitConverter.SingleToUInt32Bits(value);

    [MethodImpl(Inline)]
    public static uint BroadcastLane(void* source) => *(uint*)source;

    [MethodImpl(Inline)]
    public static uint LowNibbles(uint bytes) => bytes & GemmBits.LowNibbles;

    [MethodImpl(Inline)]
    public static uint HighNibbles(uint bytes) => (bytes >> GemmBits.Nibble) & GemmBits.LowNibbles;

    [MethodImpl(Inline)]
    public static uint ByteToSingle(uint bytes, int index) => Broadcast((byte)(bytes >> (GemmBits.Byte * index)));

    [MethodImpl(Inline)]
    public static uint LookUp(uint bytes, int index, float* table) => Broadcast(table[(byte)(bytes >> (GemmBits.Byte * index))]);

    [MethodImpl(Inline)]
    public static uint LoadShorts(void* source) => *(ushort*)source;

    [MethodImpl(Inline)]
    public static uint Select(float* four, uint positions, int index) => Broadcast(four[(positions >> (GemmBits.Position * index)) & GemmBits.LargestPosition]);

    [MethodImpl(Inline)]
    public static uint ToSingle(uint integers) => Broadcast((int)integers);

    [MethodImpl(Inline)]
    public static uint Subtract(uint a, uint b) => Broadcast(Single(a) - Single(b));

    [MethodImpl(Inline)]
    public static uint Multiply(uint a, uint b) => Broadcast(Single(a) * Single(b));

    [MethodImpl(Inline)]
    public static uint MultiplyAdd(uint a, uint b, uint c) => Broadcast(float.MultiplyAddEstimate(Single(a), Single(b), Single(c)));

    [MethodImpl(Inline)]
    public static uint LoadBytes(byte* source) => Broadcast(*source);

    [MethodImpl(Inline)]
    public static uint LoadHalves(Half* source) => Broadcast((float)*source);

    [MethodImpl(Inline)]
    public static uint LoadBFloat16s(BrainFloat16* source) => Broadcast(*source);

    [MethodImpl(Inline)]
    private static float Single(uint bits) => BitConverter.UInt32BitsToSingle(bits);
}

/// <summary>Dot products of one lane.</summary>
internal readonly struct GemmDotScalar : IGemmDot<uint>
{
    public static int StepsPerFlush => QuantizedWeightsLayout.LargestSegment;

    public static uint AddNibbles(uint partial, uint weights, uint activations) => GemmDotPortable.Add(partial, weights, activations);

    public static uint Flush(uint total, uint partial) => total + partial;

    public static uint AddBytes(uint total, uint weights, uint activations) => GemmDotPortable.Add(total, weights, activations);
}
