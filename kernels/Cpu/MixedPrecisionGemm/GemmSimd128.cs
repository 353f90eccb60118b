using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Four lanes: SSE 4.2 or AdvSimd; in software elsewhere.</summary>
internal readonly unsafe struct GemmSimd128 : IGemmSimd<Vector128<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes
    {
        [MethodImpl(Inline)]
        get => Vector128<int>.Count;
    }

    public static int TileRows
    {
        [MethodImpl(Inline)]
        get => 5;
    }

    public static Vector128<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector128<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Load(void* source) => Vector128.Load((int*)source);

    [MethodImpl(Inline)]
    public static void Store(Vector128<int> value, void* destination) => value.Store((int*)destination);

    [MethodImpl(Inline)]
    public static Vector128<int> Broadcast(float value) => Vector128.Create(value).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> BroadcastLane(void* source) => Vector128.Create(*(int*)source);

    [MethodImpl(Inline)]
    public static Vector128<int> LowNibbles(Vector128<int> bytes) => bytes & Vector128.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector128<int> HighNibbles(Vector128<int> bytes) => (bytes >>> GemmBits.Nibble) & Vector128.Create(GemmBits.LowNibbles);

    [MethodImpl(Inline)]
    public static Vector128<int> ByteToSingle(Vector128<int> bytes, int index) =>
        ToSingle((bytes >>> (GemmBits.Byte * index)) & Vector128.Create((int)byte.MaxValue));

    [MethodImpl(Inline)]
    public static Vector128<int> LookUp(Vector128<int> bytes, int index, float* table)
    {
        Vector128<int> i = (bytes >>> (GemmBits.Byte * index)) & Vector128.Create((int)byte.MaxValue);
        return Vector128.Create(table[i[0]], table[i[1]], table[i[2]], table[i[3]]).AsInt32();
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Select(float* four, Vector128<int> positions, int index) =>
        Vector128.Shuffle(Load(four), (positions >>> (GemmBits.Position * index)) & Vector128.Create(GemmBits.LargestPosition));

    [MethodImpl(Inline)]
    public static Vector128<int> ToSingle(Vector128<int> integers) => Vector128.ConvertToSingle(integers).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> Subtract(Vector128<int> a, Vector128<int> b) => (a.AsSingle() - b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> Multiply(Vector128<int> a, Vector128<int> b) => (a.AsSingle() * b.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> MultiplyAdd(Vector128<int> a, Vector128<int> b, Vector128<int> c) =>
        Vector128.MultiplyAddEstimate(a.AsSingle(), b.AsSingle(), c.AsSingle()).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> LoadBytes(byte* source) =>
        ToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte())).AsInt32());

    [MethodImpl(Inline)]
    public static Vector128<int> LoadHalves(Half* source)
    {
        Vector128<int> bits = LoadShorts(source), magnitude = bits & Vector128.Create((int)short.MaxValue);
        Vector128<float> value = (magnitude << GemmBits.HalfFractionShift).AsSingle() * Vector128.Create(GemmBits.HalfExponentGap);
        return value.AsInt32() | ((bits ^ magnitude) << GemmBits.Short);
    }

    [MethodImpl(Inline)]
    public static Vector128<int> LoadBFloat16s(BrainFloat16* source) => LoadShorts(source) << GemmBits.Short;

    [MethodImpl(Inline)]
    public static Vector128<int> LoadShorts(void* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()).AsInt32();
}
