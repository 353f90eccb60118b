using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.SparseAttention;

/// <summary>How elements of keys and values are stored, and how a register of floats is made of them.</summary>
internal unsafe interface IKeyValueFormat
{
    static abstract KeyValueType Type { get; }

    /// <summary>Whether rows have a scale beside them.</summary>
    static abstract bool IsScaled { get; }

    static abstract int ElementBytes { get; }

    static abstract Vector512<float> Load512(byte* source);

    static abstract Vector256<float> Load256(byte* source);

    static abstract Vector128<float> Load128(byte* source);

    static abstract float LoadOne(byte* source);
}

/// <summary>Registers of any width from stored elements.</summary>
internal static unsafe class KeyValueLanes<TFormat> where TFormat : struct, IKeyValueFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : unmanaged =>
        typeof(V) == typeof(Vector512<float>) ? Unsafe.BitCast<Vector512<float>, V>(TFormat.Load512(source)) :
        typeof(V) == typeof(Vector256<float>) ? Unsafe.BitCast<Vector256<float>, V>(TFormat.Load256(source)) :
        typeof(V) == typeof(Vector128<float>) ? Unsafe.BitCast<Vector128<float>, V>(TFormat.Load128(source)) :
        Unsafe.BitCast<float, V>(TFormat.LoadOne(source));

    /// <summary>The first elements of a register, zeros in the rest; not a byte beyond them is read.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V LoadFirst<V>(byte* source, int count) where V : unmanaged
    {
        V value = default;
        for (int i = 0; i < count; i++)
            Unsafe.Add(ref Unsafe.As<V, float>(ref value), i) = TFormat.LoadOne(source + i * TFormat.ElementBytes);
        return value;
    }

    public static void Widen(byte* source, float* destination, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
                TFormat.Load256(source + i * TFormat.ElementBytes).Store(destination + i);
        }
        for (; i < count; i++)
            destination[i] = TFormat.LoadOne(source + i * TFormat.ElementBytes);
    }
}

internal readonly unsafe struct SingleFormat : IKeyValueFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static KeyValueType Type => KeyValueType.Float32;

    public static bool IsScaled => false;

    public static int ElementBytes => sizeof(float);

    [MethodImpl(Inline)]
    public static Vector512<float> Load512(byte* source) => Vector512.Load((float*)source);

    [MethodImpl(Inline)]
    public static Vector256<float> Load256(byte* source) => Vector256.Load((float*)source);

    [MethodImpl(Inline)]
    public static Vector128<float> Load128(byte* source) => Vector128.Load((float*)source);

    [MethodImpl(Inline)]
    public static float LoadOne(byte* source) => *(float*)source;
}

internal readonly unsafe struct BFloat16Format : IKeyValueFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int DroppedBits = 16;

    public static KeyValueType Type => KeyValueType.BFloat16;

    public static bool IsScaled => false;

    public static int ElementBytes => sizeof(ushort);

    [MethodImpl(Inline)]
    public static Vector512<float> Load512(byte* source) => (Vector512.WidenLower(Vector256.Load((ushort*)source).ToVector512Unsafe()) << DroppedBits)
        .AsSingle();

    [MethodImpl(Inline)]
    public static Vector256<float> Load256(byte* source) => (Vector256.WidenLower(Vector128.Load((ushort*)source).ToVector256Unsafe()) << DroppedBits)
        .AsSingle();

    [MethodImpl(Inline)]
    public static Vector128<float> Load128(byte* source) => (Vector128.WidenLower(Vector64.Load((ushort*)source).ToVector128Unsafe()) << DroppedBits)
        .AsSingle();

    [MethodImpl(Inline)]
    public static float LoadOne(byte* source) => *(BrainFloat16*)source;
}

/// <summary>Halves that are known to be finite.</summary>
/// <remarks>
/// Sign-extended to 32 bits and shifted left by 13, exponent and fraction stand where a float has them, and the sign above copies of itself, which a mask
/// removes. The exponents' biases then differ by 112, which a product with 2^112 mends, denormal numbers included.
/// </remarks>
internal readonly unsafe struct FiniteHalfFormat : IKeyValueFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int FractionShift = 13;
    private const int SignAndMagnitude = unchecked((int)0x8FFFE000);
    private const float ExponentGap = 5.192296858534828e33f; // 2^112

    public static KeyValueType Type => KeyValueType.Float16;

    public static bool IsScaled => false;

    public static int ElementBytes => sizeof(ushort);

    [MethodImpl(Inline)]
    public static Vector512<float> Load512(byte* source)
    {
        Vector512<int> bits = (Vector512.WidenLower(Vector256.Load((short*)source).ToVector512Unsafe()) << FractionShift) & Vector512.Create(SignAndMagnitude);
        return bits.AsSingle() * Vector512.Create(ExponentGap);
    }

    [MethodImpl(Inline)]
    public static Vector256<float> Load256(byte* source)
    {
        Vector256<int> bits = (Vector256.WidenLower(Vector128.Load((short*)source).ToVector256Unsafe()) << FractionShift) & Vector256.Create(SignAndMagnitude);
        return bits.AsSingle() * Vector256.Create(ExponentGap);
    }

    [MethodImpl(Inline)]
    public static Vector128<float> Load128(byte* source)
    {
        Vector128<int> bits = (Vector128.WidenLower(Vector64.Load((short*)source).ToVector128Unsafe()) << FractionShift) & Vector128.Create(SignAndMagnitude);
        return bits.AsSingle() * Vector128.Create(ExponentGap);
    }

    [MethodImpl(Inline)]
    public static float LoadOne(byte* source) => (float)*(Half*)source;
}

/// <summary>Any halves: what comes out as 2^16 or more was infinite or no number, and gets a float's highest exponent.</summary>
internal readonly unsafe struct HalfFormat : IKeyValueFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const float FirstSpecial = 65536;
    private const int SingleInfinity = 0x7F800000;

    public static KeyValueType Type => KeyValueType.Float16;

    public static bool IsScaled => false;

    public static int ElementBytes => sizeof(ushort);

    [MethodImpl(Inline)]
    public static Vector512<float> Load512(byte* source)
    {
        Vector512<float> value = FiniteHalfFormat.Load512(source);
        Vector512<int> special = Vector512.GreaterThanOrEqual(Vector512.Abs(value), Vector512.Create(FirstSpecial)).AsInt32();
        return (value.AsInt32() | (special & Vector512.Create(SingleInfinity))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static Vector256<float> Load256(byte* source)
    {
        Vector256<float> value = FiniteHalfFormat.Load256(source);
        Vector256<int> special = Vector256.GreaterThanOrEqual(Vector256.Abs(value), Vector256.Create(FirstSpecial)).AsInt32();
        return (value.AsInt32() | (special & Vector256.Create(SingleInfinity))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static Vector128<float> Load128(byte* source)
    {
        Vector128<float> value = FiniteHalfFormat.Load128(source);
        Vector128<int> special = Vector128.GreaterThanOrEqual(Vector128.Abs(value), Vector128.Create(FirstSpecial)).AsInt32();
        return (value.AsInt32() | (special & Vector128.Create(SingleInfinity))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static float LoadOne(byte* source) => (float)*(Half*)source;
}

/// <summary>Signed bytes; the row's scale is the caller's.</summary>
internal readonly unsafe struct Int8Format : IKeyValueFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static KeyValueType Type => KeyValueType.Int8;

    public static bool IsScaled => true;

    public static int ElementBytes => sizeof(sbyte);

    [MethodImpl(Inline)]
    public static Vector512<float> Load512(byte* source)
    {
        Vector256<short> words = Vector256.WidenLower(Vector128.Load((sbyte*)source).ToVector256Unsafe());
        return Vector512.ConvertToSingle(Vector512.WidenLower(words.ToVector512Unsafe()));
    }

    [MethodImpl(Inline)]
    public static Vector256<float> Load256(byte* source)
    {
        Vector128<short> words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)source).AsSByte());
        return Vector256.ConvertToSingle(Vector256.WidenLower(words.ToVector256Unsafe()));
    }

    [MethodImpl(Inline)]
    public static Vector128<float> Load128(byte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)source).AsSByte())));

    [MethodImpl(Inline)]
    public static float LoadOne(byte* source) => *(sbyte*)source;
}
