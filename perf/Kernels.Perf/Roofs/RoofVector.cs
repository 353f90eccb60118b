using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
}

internal readonly unsafe struct RoofVector128(Vector128<float> value) : IRoofVector<RoofVector128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => Vector128<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector128 Create(float value) => new(Vector128.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector128 Load(float* source) => new(Vector128.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector128 operator +(RoofVector128 left, RoofVector128 right) => new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector128 MultiplyAdd(RoofVector128 left, RoofVector128 right, RoofVector128 addend) =>
        new(Vector128.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector128.Sum(_value);
}

internal readonly unsafe struct RoofVector256(Vector256<float> value) : IRoofVector<RoofVector256>
{
    private readonly Vector256<float> _value = value;

    public static int Count => Vector256<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector256 Create(float value) => new(Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector256 Load(float* source) => new(Vector256.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector256 operator +(RoofVector256 left, RoofVector256 right) => new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector256 MultiplyAdd(RoofVector256 left, RoofVector256 right, RoofVector256 addend) =>
        new(Vector256.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector256.Sum(_value);
}

internal readonly unsafe struct RoofVector512(Vector512<float> value) : IRoofVector<RoofVector512>
{
    private readonly Vector512<float> _value = value;

    public static int Count => Vector512<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector512 Create(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector512 Load(float* source) => new(Vector512.LoadAligned(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void Store(float* destination) => _value.StoreAligned(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public void StoreNonTemporal(float* destination) => _value.StoreAlignedNonTemporal(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static RoofVector512 operator +(RoofVector512 left, RoofVector512 right) => new(left._value + right._value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoofVector512 MultiplyAdd(RoofVector512 left, RoofVector512 right, RoofVector512 addend) =>
        new(Vector512.MultiplyAddEstimate(left._value, right._value, addend._value));
    public float Sum() => Vector512.Sum(_value);
}
