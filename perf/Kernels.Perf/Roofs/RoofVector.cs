using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Perf;

/// <summary>The few things that the roof loops ask of a vector register, so that each loop is written once for every width.</summary>
internal unsafe interface IRoofVector<TSelf> where TSelf : struct, IRoofVector<TSelf>
{
    static abstract int Count { get; }
    static abstract TSelf Create(float value);
    static abstract TSelf Load(float* source);
    void Store(float* destination);
    void StoreNonTemporal(float* destination);
    static abstract TSelf operator +(TSelf left, TSelf right);
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf addend);
    float Sum();

    /// <summary>Adds products of unsigned and signed bytes in pairs, in 16-bit lanes.</summary>
    static abstract TSelf AddNibbleDot(TSelf sum, TSelf weights, TSelf activations);

    /// <summary>Sums of two 16-bit lanes, as floats.</summary>
    static abstract TSelf WidenDot(TSelf sum);
}

internal readonly unsafe struct RoofVector128(Vector128<float> value) : IRoofVector<RoofVector128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => Vector128<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector128 Create(float value) => new(Vector128.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector128 Load(float* source) => new(Vector128.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector128 operator +(RoofVector128 left, RoofVector128 right) =>
        new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector128 MultiplyAdd(RoofVector128 left, RoofVector128 right, RoofVector128 addend) =>
        new(Vector128.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector128.Sum(_value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector128 AddNibbleDot(RoofVector128 sum, RoofVector128 weights, RoofVector128 activations) =>
        new((sum._value.AsInt16() + (Ssse3.IsSupported
        ? Ssse3.MultiplyAddAdjacent(weights._value.AsByte(), activations._value.AsSByte())
        : Vector128.WidenLower(weights._value.AsByte()).AsInt16() * Vector128.WidenLower(activations._value.AsSByte()) * Vector128.Create((short)2)))
            .AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector128 WidenDot(RoofVector128 sum) => new(Vector128.ConvertToSingle(Sse2.IsSupported
        ? Sse2.MultiplyAddAdjacent(sum._value.AsInt16(), Vector128<short>.One)
        : Vector128.WidenLower(sum._value.AsInt16()) + Vector128.WidenUpper(sum._value.AsInt16())));
}

internal readonly unsafe struct RoofVector256(Vector256<float> value) : IRoofVector<RoofVector256>
{
    private readonly Vector256<float> _value = value;

    public static int Count => Vector256<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector256 Create(float value) => new(Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector256 Load(float* source) => new(Vector256.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector256 operator +(RoofVector256 left, RoofVector256 right) =>
        new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector256 MultiplyAdd(RoofVector256 left, RoofVector256 right, RoofVector256 addend) =>
        new(Vector256.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector256.Sum(_value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector256 AddNibbleDot(RoofVector256 sum, RoofVector256 weights, RoofVector256 activations) =>
        new((sum._value.AsInt16() + Avx2.MultiplyAddAdjacent(weights._value.AsByte(), activations._value.AsSByte())).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector256 WidenDot(RoofVector256 sum) =>
        new(Vector256.ConvertToSingle(Avx2.MultiplyAddAdjacent(sum._value.AsInt16(), Vector256<short>.One)));
}

internal readonly unsafe struct RoofVector512(Vector512<float> value) : IRoofVector<RoofVector512>
{
    private readonly Vector512<float> _value = value;

    public static int Count => Vector512<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector512 Create(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector512 Load(float* source) => new(Vector512.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector512 operator +(RoofVector512 left, RoofVector512 right) =>
        new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector512 MultiplyAdd(RoofVector512 left, RoofVector512 right, RoofVector512 addend) =>
        new(Vector512.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector512.Sum(_value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector512 AddNibbleDot(RoofVector512 sum, RoofVector512 weights, RoofVector512 activations) =>
        new((sum._value.AsInt16() + Avx512BW.MultiplyAddAdjacent(weights._value.AsByte(), activations._value.AsSByte())).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector512 WidenDot(RoofVector512 sum) =>
        new(Vector512.ConvertToSingle(Avx512BW.MultiplyAddAdjacent(sum._value.AsInt16(), Vector512<short>.One)));
}
