using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// vpdpbusd on 256 bits: unsigned times signed bytes, four products added to 32-bit lanes without saturation. Activations are shifted by 128 to be unsigned:
/// sum (a + 128) w - 128 sum w = sum a w, which holds modulo 2^32 whatever wraps on the way, and the true sum fits 32 bits.
/// </summary>
internal readonly unsafe struct Int8DotVnni : IInt8Dot<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int SignBit = 0x80, SignBits = unchecked((int)0x80808080);

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Vector256<int>.Count;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(byte);
    }

    public static int ActivationShift => SignBit;

    public static Vector256<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector256<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> LoadWeights(byte* lanes) => Vector256.Load((int*)lanes);

    [MethodImpl(Inline)]
    public static Vector256<int> LoadActivations(byte* inputs) => Vector256.Create(*(int*)inputs);

    [MethodImpl(Inline)]
    public static Vector256<int> Add(Vector256<int> totals, Vector256<int> weights, Vector256<int> activations) => AvxVnni.IsSupported
        ? AvxVnni.MultiplyWideningAndAdd(totals, activations.AsByte(), weights.AsSByte())
        : Vector256.Create(
            Int8DotPortable.AddUnsigned(totals.GetLower(), weights.GetLower(), activations.GetLower()),
            Int8DotPortable.AddUnsigned(totals.GetUpper(), weights.GetUpper(), activations.GetUpper()));

    [MethodImpl(Inline)]
    public static void AddTo(Vector256<int> totals, int* sums) => (Vector256.Load(sums) + totals).Store(sums);

    // a + 128 as an unsigned byte is a with its sign bit flipped.
    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => *(int*)packed = values ^ SignBits;
}

/// <summary>
/// vpmaddwd on 256 bits. Weights are widened to 16 bits as they are loaded, activations once when they are packed: a pair of products is at most 2 * 128 * 128
/// = 2^15 in magnitude and added in 32 bits, so nothing can saturate. (vpmaddubsw adds pairs in 16 bits, which 2 * 255 * 127 exceeds, and with operands made
/// unsigned by their magnitude, |a| and w sign(a), -128 has no negative; the two vpsignb and vpmaddubsw of that form cost what the wider form costs here.) Each
/// output has two lanes of totals, for the first and for the last two of four inputs.
/// </summary>
internal readonly unsafe struct Int8DotAvx2 : IInt8Dot<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Vector256<long>.Count;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(short);
    }

    public static int ActivationShift => 0;

    public static Vector256<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector256<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> LoadWeights(byte* lanes) =>
        Avx2.IsSupported ? Avx2.ConvertToVector256Int16((sbyte*)lanes).AsInt32() : Int8DotPortable.Widen(Vector128.Load((sbyte*)lanes)).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> LoadActivations(byte* inputs) => Vector256.Create(*(long*)inputs).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> Add(Vector256<int> totals, Vector256<int> weights, Vector256<int> activations) => totals + (Avx2.IsSupported
        ? Avx2.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16())
        : Vector256.Create(Int8DotPortable.MultiplyAddPairs(weights.GetLower(), activations.GetLower()),
            Int8DotPortable.MultiplyAddPairs(weights.GetUpper(), activations.GetUpper())));

    [MethodImpl(Inline)]
    public static void AddTo(Vector256<int> totals, int* sums)
    {
        Vector256<int> pairs = totals + (totals.AsInt64() >>> 32).AsInt32();
        Vector128<int> columns = Vector256.Narrow(pairs.AsInt64(), pairs.AsInt64()).GetLower();
        (Vector128.Load(sums) + columns).Store(sums);
    }

    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => Int8DotPortable.StoreShorts(values, packed);
}

/// <summary>The same on 512 bits. .NET 10 has no vpdpbusd of this width to offer.</summary>
internal readonly unsafe struct Int8DotAvx512 : IInt8Dot<Vector512<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Vector512<long>.Count;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(short);
    }

    public static int ActivationShift => 0;

    public static Vector512<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector512<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector512<int> LoadWeights(byte* lanes)
    {
        Vector256<sbyte> bytes = Vector256.Load((sbyte*)lanes);
        return Avx512BW.IsSupported
            ? Avx512BW.ConvertToVector512Int16(bytes).AsInt32()
            : Vector512.Create(Int8DotPortable.Widen(bytes.GetLower()), Int8DotPortable.Widen(bytes.GetUpper())).AsInt32();
    }

    [MethodImpl(Inline)]
    public static Vector512<int> LoadActivations(byte* inputs) => Vector512.Create(*(long*)inputs).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> Add(Vector512<int> totals, Vector512<int> weights, Vector512<int> activations) => Avx512BW.IsSupported
        ? totals + Avx512BW.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16())
        : Vector512.Create(
            Int8DotAvx2.Add(totals.GetLower(), weights.GetLower(), activations.GetLower()),
            Int8DotAvx2.Add(totals.GetUpper(), weights.GetUpper(), activations.GetUpper()));

    [MethodImpl(Inline)]
    public static void AddTo(Vector512<int> totals, int* sums)
    {
        Vector512<int> pairs = totals + (totals.AsInt64() >>> 32).AsInt32();
        Vector256<int> columns = Vector512.Narrow(pairs.AsInt64(), pairs.AsInt64()).GetLower();
        (Vector256.Load(sums) + columns).Store(sums);
    }

    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => Int8DotPortable.StoreShorts(values, packed);
}

/// <summary>The same on 128 bits: pmovsxbw (SSE4.1) and pmaddwd.</summary>
internal readonly unsafe struct Int8DotSse : IInt8Dot<Vector128<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Vector128<long>.Count;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(short);
    }

    public static int ActivationShift => 0;

    public static Vector128<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector128<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector128<int> LoadWeights(byte* lanes) =>
        Sse41.IsSupported ? Sse41.ConvertToVector128Int16((sbyte*)lanes).AsInt32() : Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)lanes).AsSByte())
        .AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> LoadActivations(byte* inputs) => Vector128.Create(*(long*)inputs).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> Add(Vector128<int> totals, Vector128<int> weights, Vector128<int> activations) =>
        totals + (Sse2.IsSupported ? Sse2.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16())
        : Int8DotPortable.MultiplyAddPairs(weights, activations));

    [MethodImpl(Inline)]
    public static void AddTo(Vector128<int> totals, int* sums)
    {
        sums[0] += totals.GetElement(0) + totals.GetElement(1);
        sums[1] += totals.GetElement(2) + totals.GetElement(3);
    }

    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => Int8DotPortable.StoreShorts(values, packed);
}
