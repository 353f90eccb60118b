using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// Dot products of bytes by their definition, in 32-bit lanes: for machines without an instruction for them, and for variants run in software.
/// </summary>
internal static unsafe class Int8DotPortable
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int Byte = 8, Short = 16, TopByte = 24;

    /// <summary>Signed weights times signed activations.</summary>
    [MethodImpl(Inline)]
    public static Vector128<int> AddSigned(Vector128<int> totals, Vector128<int> weights, Vector128<int> activations)
    {
        // Up to the sign bit, and down again with it.
        for (int up = 0; up <= TopByte; up += Byte)
            totals += ((weights << up) >> TopByte) * ((activations << up) >> TopByte);
        return totals;
    }

    /// <summary>Signed weights times unsigned activations.</summary>
    [MethodImpl(Inline)]
    public static Vector128<int> AddUnsigned(Vector128<int> totals, Vector128<int> weights, Vector128<int> activations)
    {
        for (int up = 0; up <= TopByte; up += Byte)
            totals += ((weights << up) >> TopByte) * ((activations << up) >>> TopByte);
        return totals;
    }

    /// <summary>Sums of two products of signed 16-bit numbers.</summary>
    [MethodImpl(Inline)]
    public static Vector128<int> MultiplyAddPairs(Vector128<int> weights, Vector128<int> activations) =>
        ((weights << Short) >> Short) * ((activations << Short) >> Short) + (weights >> Short) * (activations >> Short);

    [MethodImpl(Inline)]
    public static Vector256<short> Widen(Vector128<sbyte> bytes) => Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes));

    /// <summary>4 bytes as 16-bit numbers.</summary>
    [MethodImpl(Inline)]
    public static void StoreShorts(int values, byte* packed) => *(long*)packed = Vector128.WidenLower(Vector128.CreateScalarUnsafe(values).AsSByte()).AsInt64()
        .ToScalar();
}

/// <summary>sdot on 128 bits (ARM64): four products of signed bytes added to 32-bit lanes.</summary>
internal readonly unsafe struct Int8DotAdvSimd : IInt8Dot<Vector128<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Vector128<int>.Count;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(sbyte);
    }

    public static int ActivationShift => 0;

    public static Vector128<int> Zero
    {
        [MethodImpl(Inline)]
        get => Vector128<int>.Zero;
    }

    [MethodImpl(Inline)]
    public static Vector128<int> LoadWeights(byte* lanes) => Vector128.Load((int*)lanes);

    [MethodImpl(Inline)]
    public static Vector128<int> LoadActivations(byte* inputs) => Vector128.Create(*(int*)inputs);

    [MethodImpl(Inline)]
    public static Vector128<int> Add(Vector128<int> totals, Vector128<int> weights, Vector128<int> activations) =>
        Dp.IsSupported ? Dp.DotProduct(totals, weights.AsSByte(), activations.AsSByte()) : Int8DotPortable.AddSigned(totals, weights, activations);

    [MethodImpl(Inline)]
    public static void AddTo(Vector128<int> totals, int* sums) => (Vector128.Load(sums) + totals).Store(sums);

    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => *(int*)packed = values;
}

/// <summary>One output at a time, for machines without SIMD and as the plainest form.</summary>
internal readonly unsafe struct Int8DotScalar : IInt8Dot<int>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Columns
    {
        [MethodImpl(Inline)]
        get => 1;
    }

    public static int ActivationBytes
    {
        [MethodImpl(Inline)]
        get => sizeof(sbyte);
    }

    public static int ActivationShift => 0;

    public static int Zero
    {
        [MethodImpl(Inline)]
        get => 0;
    }

    [MethodImpl(Inline)]
    public static int LoadWeights(byte* lanes) => *(int*)lanes;

    [MethodImpl(Inline)]
    public static int LoadActivations(byte* inputs) => *(int*)inputs;

    [MethodImpl(Inline)]
    public static int Add(int totals, int weights, int activations) => totals + (sbyte)weights * (sbyte)activations
        + (sbyte)(weights >> 8) * (sbyte)(activations >> 8) + (sbyte)(weights >> 16) * (sbyte)(activations >> 16) + (weights >> 24) * (activations >> 24);

    [MethodImpl(Inline)]
    public static void AddTo(int totals, int* sums) => *sums += totals;

    [MethodImpl(Inline)]
    public static void StoreActivations(int values, byte* packed) => *(int*)packed = values;
}
