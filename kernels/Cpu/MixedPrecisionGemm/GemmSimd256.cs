using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Eight lanes: AVX2 with FMA; in software elsewhere.</summary>
internal readonly unsafe struct GemmSimd256 : IGemmSimd<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes
    {
        [MethodImpl(Inline)]
        get => Vector256<int>.Count;
    }

    public static int TileRows
    {
        [MethodImpl(Inline)]
        get => 5;
    }

    public static Vector256<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector256<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> Load(void* source) => Vector256.Load((int*)source);

    [MethodImpl(Inline)]
    public static void Store(Vector256<int> value, void* destination) => value.Store((int*)destination);

    [MethodImpl(Inline)]
    public static Vector256<int> Broadcast(float value) => Vector256.Create(value).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> BroadcastLane(void* source) => Vector256.Create(*(int*)source);

    [MethodImpl(Inline)]
    public static Vector256<int> LowNibbles(Vector256<int> bytes) => bytes & Vector256.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector256<int> HighNibbles(Vector256<int> bytes) => (bytes >>> GemmBits.Nibble) & Vector256.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector256<int> ByteToSingle(Vector256<int> bytes, int index) =>
        ToSingle((bytes >>> (GemmBits.Byte * index)) & Vector256.Create((int)byte.MaxValue));

    // vpermps looks at the low three bits of an index; the fourth chooses the half of the table.
    [MethodImpl(Inline)]
    public static Vector256<int> LookUp(Vector256<int> bytes, int index, float* table)
    {
        Vector256<int> i = bytes >>> (GemmBits.Byte * index);
        Vector256<int> lower = Avx2.IsSupported ? Avx2.PermuteVar8x32(Load(table), i) : Vector256.Shuffle(Load(table), i & Vector256.Create(Lanes - 1));
        Vector256<int> upper = Avx2.IsSupported ? Avx2.PermuteVar8x32(Load(table + Lanes), i)
            : Vector256.Shuffle(Load(table + Lanes), i & Vector256.Create(Lanes - 1));
        return Vector256.ConditionalSelect(Vector256.Equals(i & Vector256.Create(Lanes), Vector256<int>.Zero), lower, upper);
    }

    // vpermilps looks at the low two bits of an index, in each half.
    [MethodImpl(Inline)]
    public static Vector256<int> Select(float* four, Vector256<int> positions, int index)
    {
        Vector256<int> i = positions >>> (GemmBits.Position * index), values = Vector256.Create(Vector128.Load((int*)four));
        return Avx.IsSupported ? Avx.PermuteVar(values.AsSingle(), i).AsInt32() : Vector256.Shuffle(values, i & Vector256.Create(GemmBits.LargestPosition));
    }

    [MethodImpl(Inline)]
    public static Vector256<int> ToSingle(Vector256<int> integers) => Vector256.ConvertToSingle(integers).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> Subtract(Vector256<int> a, Vector256<int> b) => (a.AsSingle() - b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> Multiply(Vector256<int> a, Vector256<int> b) => (a.AsSingle() * b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> MultiplyAdd(Vector256<int> a, Vector256<int> b, Vector256<int> c) =>
        Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> LoadBytes(byte* source) =>
        ToSingle(Vector256.WidenLower(Vector256.WidenLower(Vector256.CreateScalarUnsafe(*(ulong*)source).AsByte())).AsInt32());

    [MethodImpl(Inline)]
    public static Vector256<int> LoadHalves(Half* source)
    {
        Vector256<int> bits = LoadShorts(source), magnitude = bits & Vector256.Create((int)short.MaxValue);
        Vector256<float> value = (magnitude << GemmBits.HalfFractionShift).AsSingle() * Vector256.Create(GemmBits.HalfExponentGap);
        return value.AsInt32() | ((bits ^ magnitude) << GemmBits.Short);
    }

    [MethodImpl(Inline)]
    public static Vector256<int> LoadBFloat16s(BrainFloat16* source) => LoadShorts(source) << GemmBits.Short;

    [MethodImpl(Inline)]
    public static Vector256<int> LoadShorts(void* source) => Vector256.WidenLower(Vector128.Load((ushort*)source).ToVector256Unsafe()).AsInt32();
}

/// <summary>vpmaddubsw: sums of two products in 16-bit lanes; vpmaddwd brings them to 32 bits.</summary>
internal readonly struct GemmDotAvx2 : IGemmDot<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepsPerFlush
    {
        [MethodImpl(Inline)]
        get => GemmBits.StepsPerFlushOfShorts;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> AddNibbles(Vector256<int> partial, Vector256<int> weights, Vector256<int> activations) => Avx2.IsSupported
        ? (partial.AsInt16() + Avx2.MultiplyAddAdjacent(weights.AsByte(), activations.AsSByte())).AsInt32()
        : GemmDotPortable.Add(partial, weights, activations);

    [MethodImpl(Inline)]
    public static Vector256<int> Flush(Vector256<int> total, Vector256<int> partial) =>
        total + (Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(partial.AsInt16(), Vector256<short>.One) : partial);

    [MethodImpl(Inline)]
    public static Vector256<int> AddBytes(Vector256<int> total, Vector256<int> weights, Vector256<int> activations)
    {
        if (!Avx2.IsSupported)
            return GemmDotPortable.Add(total, weights, activations);
        Vector256<short> low = Avx2.MultiplyAddAdjacent(GemmSimd256.LowNibbles(weights).AsByte(), activations.AsSByte());
        Vector256<short> high = Avx2.MultiplyAddAdjacent(GemmSimd256.HighNibbles(weights).AsByte(), activations.AsSByte());
        return total + Avx2.MultiplyAddAdjacent(low, Vector256<short>.One) + Avx2.MultiplyAddAdjacent(high, Vector256.Create((short)(1 << GemmBits.Nibble)));
    }
}
