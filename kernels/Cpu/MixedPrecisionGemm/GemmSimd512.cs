using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Sixteen lanes: AVX-512 F, BW and DQ; in software elsewhere.</summary>
internal readonly unsafe struct GemmSimd512 : IGemmSimd<Vector512<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes
    {
        [MethodImpl(Inline)]
        get => Vector512<int>.Count;
    }

    public static int TileRows
    {
        [MethodImpl(Inline)]
        get => GemmTiles.LargestRowCount;
    }

    public static Vector512<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector512<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector512<int> Load(void* source) => Vector512.Load((int*)source);

    [MethodImpl(Inline)]
    public static void Store(Vector512<int> value, void* destination) => value.Store((int*)destination);

    [MethodImpl(Inline)]
    public static Vector512<int> Broadcast(float value) => Vector512.Create(value).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> BroadcastLane(void* source) => Vector512.Create(*(int*)source);

    [MethodImpl(Inline)]
    public static Vector512<int> LowNibbles(Vector512<int> bytes) => bytes & Vector512.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector512<int> HighNibbles(Vector512<int> bytes) => (bytes >>> GemmBits.Nibble) & Vector512.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector512<int> ByteToSingle(Vector512<int> bytes, int index) =>
        ToSingle((bytes >>> (GemmBits.Byte * index)) & Vector512.Create((int)byte.MaxValue));

    // vpermps looks at the low four bits of an index.
    [MethodImpl(Inline)]
    public static Vector512<int> LookUp(Vector512<int> bytes, int index, float* table)
    {
        Vector512<int> i = bytes >>> (GemmBits.Byte * index);
        return Avx512F.IsSupported ? Avx512F.PermuteVar16x32(Load(table), i) : Vector512.Shuffle(Load(table), i & Vector512.Create(Lanes - 1));
    }

    // vpermilps looks at the low two bits of an index, in each quarter.
    [MethodImpl(Inline)]
    public static Vector512<int> Select(float* four, Vector512<int> positions, int index)
    {
        Vector512<int> i = positions >>> (GemmBits.Position * index), values = Vector512.Create(Vector128.Load((int*)four));
        return Avx512F.IsSupported ? Avx512F.PermuteVar4x32(values.AsSingle(), i)
            .AsInt32() : Vector512.Shuffle(values, i & Vector512.Create(GemmBits.LargestPosition));
    }

    [MethodImpl(Inline)]
    public static Vector512<int> ToSingle(Vector512<int> integers) => Vector512.ConvertToSingle(integers).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> Subtract(Vector512<int> a, Vector512<int> b) => (a.AsSingle() - b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> Multiply(Vector512<int> a, Vector512<int> b) => (a.AsSingle() * b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> MultiplyAdd(Vector512<int> a, Vector512<int> b, Vector512<int> c) =>
        Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> LoadBytes(byte* source) =>
        ToSingle(Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()).ToVector512Unsafe()).AsInt32());

    [MethodImpl(Inline)]
    public static Vector512<int> LoadHalves(Half* source)
    {
        Vector512<int> bits = LoadShorts(source), magnitude = bits & Vector512.Create((int)short.MaxValue);
        Vector512<float> value = (magnitude << GemmBits.HalfFractionShift).AsSingle() * Vector512.Create(GemmBits.HalfExponentGap);
        return value.AsInt32() | ((bits ^ magnitude) << GemmBits.Short);
    }

    [MethodImpl(Inline)]
    public static Vector512<int> LoadBFloat16s(BrainFloat16* source) => LoadShorts(source) << GemmBits.Short;

    [MethodImpl(Inline)]
    public static Vector512<int> LoadShorts(void* source) => Vector512.WidenLower(Vector256.Load((ushort*)source).ToVector512Unsafe()).AsInt32();
}

/// <summary>vpmaddubsw: sums of two products in 16-bit lanes; vpmaddwd brings them to 32 bits.</summary>
internal readonly struct GemmDotAvx512 : IGemmDot<Vector512<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepsPerFlush
    {
        [MethodImpl(Inline)]
        get => GemmBits.StepsPerFlushOfShorts;
    }

    [MethodImpl(Inline)]
    public static Vector512<int> AddNibbles(Vector512<int> partial, Vector512<int> weights, Vector512<int> activations) => Avx512BW.IsSupported
        ? (partial.AsInt16() + Avx512BW.MultiplyAddAdjacent(weights.AsByte(), activations.AsSByte())).AsInt32()
        : GemmDotPortable.Add(partial, weights, activations);

    [MethodImpl(Inline)]
    public static Vector512<int> Flush(Vector512<int> total, Vector512<int> partial) =>
        total + (Avx512BW.IsSupported ? Avx512BW.MultiplyAddAdjacent(partial.AsInt16(), Vector512<short>.One) : partial);

    [MethodImpl(Inline)]
    public static Vector512<int> AddBytes(Vector512<int> total, Vector512<int> weights, Vector512<int> activations)
    {
        if (!Avx512BW.IsSupported)
            return GemmDotPortable.Add(total, weights, activations);
        Vector512<short> low = Avx512BW.MultiplyAddAdjacent(GemmSimd512.LowNibbles(weights).AsByte(), activations.AsSByte());
        Vector512<short> high = Avx512BW.MultiplyAddAdjacent(GemmSimd512.HighNibbles(weights).AsByte(), activations.AsSByte());
        return total + Avx512BW.MultiplyAddAdjacent(low, Vector512<short>.One)
            + Avx512BW.MultiplyAddAdjacent(high, Vector512.Create((short)(1 << GemmBits.Nibble)));
    }
}
