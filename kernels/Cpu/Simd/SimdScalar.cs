using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>A register of one element, for machines without SIMD and as the plainest form of every kernel.</summary>
internal readonly unsafe struct SimdScalar<T> : ISimd<T, T> where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Count => 1;

    [MethodImpl(Inline)]
    public static T Broadcast(T value) => value;

    [MethodImpl(Inline)]
    public static T Load(ref T source, nuint index) => Unsafe.Add(ref source, index);

    [MethodImpl(Inline)]
    public static void Store(T value, ref T destination, nuint index) => Unsafe.Add(ref destination, index) = value;

    [MethodImpl(Inline)]
    public static T LoadFirst(ref T source, nuint index, nuint lanes, T fill) => lanes == 0 ? fill : Load(ref source, index);

    [MethodImpl(Inline)]
    public static void StoreFirst(T value, ref T destination, nuint index, nuint lanes)
    {
        if (lanes != 0)
            Store(value, ref destination, index);
    }

    [MethodImpl(Inline)]
    public static void StoreNonTemporal(T value, T* destination) => *destination = value;

    [MethodImpl(Inline)]
    public static T Add(T a, T b) => typeof(T) == typeof(float) ? (T)(object)((float)(object)a + (float)(object)b)
        : (T)(object)((double)(object)a + (double)(object)b);

    [MethodImpl(Inline)]
    public static T Subtract(T a, T b) => typeof(T) == typeof(float) ? (T)(object)((float)(object)a - (float)(object)b)
        : (T)(object)((double)(object)a - (double)(object)b);

    [MethodImpl(Inline)]
    public static T Multiply(T a, T b) => typeof(T) == typeof(float) ? (T)(object)((float)(object)a * (float)(object)b)
        : (T)(object)((double)(object)a * (double)(object)b);

    [MethodImpl(Inline)]
    public static T Divide(T a, T b) => typeof(T) == typeof(float) ? (T)(object)((float)(object)a / (float)(object)b)
        : (T)(object)((double)(object)a / (double)(object)b);

    [MethodImpl(Inline)]
    public static T MultiplyAdd(T a, T b, T c) => typeof(T) == typeof(float)
        ? (T)(object)(float)((double)(float)(object)a * (float)(object)b + (float)(object)c) // the product of two floats is exact in double
        : Add(Multiply(a, b), c);

    [MethodImpl(Inline)]
    public static T MaxKeepingSecond(T a, T b) => typeof(T) == typeof(float)
        ? ((float)(object)a > (float)(object)b ? a : b)
        : ((double)(object)a > (double)(object)b ? a : b);

    [MethodImpl(Inline)]
    public static T Abs(T a) => typeof(T) == typeof(float) ? (T)(object)MathF.Abs((float)(object)a) : (T)(object)Math.Abs((double)(object)a);

    [MethodImpl(Inline)]
    public static T CopySign(T a, T b) => typeof(T) == typeof(float)
        ? (T)(object)MathF.CopySign((float)(object)a, (float)(object)b)
        : (T)(object)Math.CopySign((double)(object)a, (double)(object)b);

    [MethodImpl(Inline)]
    public static T SelectBelow(T x, T limit, T a, T b) => typeof(T) == typeof(float)
        ? (MathF.Abs((float)(object)x) < (float)(object)limit ? a : b)
        : (Math.Abs((double)(object)x) < (double)(object)limit ? a : b);

    [MethodImpl(Inline)]
    public static T ZeroWhereEqual(T value, T x, T y) => ComputeType.ToDouble(x) == ComputeType.ToDouble(y) ? default : value;

    [MethodImpl(Inline)]
    public static T ExponentOf(T z, T offset) => typeof(T) == typeof(float)
        ? Unsafe.BitCast<int, T>((Unsafe.BitCast<T, int>(z) << FloatFormat.SingleFractionBits) + Unsafe.BitCast<T, int>(offset))
        : Unsafe.BitCast<long, T>((Unsafe.BitCast<T, long>(z) << FloatFormat.DoubleFractionBits) + Unsafe.BitCast<T, long>(offset));

    [MethodImpl(Inline)]
    public static T BroadcastBits(long bits) => typeof(T) == typeof(float) ? Unsafe.BitCast<int, T>((int)bits) : Unsafe.BitCast<long, T>(bits);

    [MethodImpl(Inline)]
    public static T First(T value) => value;

    [MethodImpl(Inline)]
    public static T MaxAcross(T value) => value;

    [MethodImpl(Inline)]
    public static void Accumulate(ref T lower, ref T upper, T x)
    {
        T sum = Add(lower, x), part = Subtract(sum, lower);
        upper = Add(upper, Add(Subtract(lower, Subtract(sum, part)), Subtract(x, part)));
        lower = sum;
    }

    [MethodImpl(Inline)]
    public static double SumAcross(T lower, T upper) => ComputeType.ToDouble(lower) + ComputeType.ToDouble(upper);

    [MethodImpl(Inline)]
    public static T SubtractWide(T x, double first, double second) => ComputeType.FromDouble<T>(ComputeType.ToDouble(x) - first - second);

    [MethodImpl(Inline)]
    public static T SubtractWide(T x, ref double first, ref double second, nuint index) =>
        SubtractWide(x, Unsafe.Add(ref first, index), Unsafe.Add(ref second, index));

    [MethodImpl(Inline)]
    public static void AccumulateEach(ref double sums, ref double lost, nuint index, T x)
    {
        if (typeof(T) == typeof(float))
        {
            AddToDoubles(ref sums, index, x);
            return;
        }
        T sum = ComputeType.FromDouble<T>(Unsafe.Add(ref sums, index)), error = ComputeType.FromDouble<T>(Unsafe.Add(ref lost, index));
        Accumulate(ref sum, ref error, x);
        Unsafe.Add(ref sums, index) = ComputeType.ToDouble(sum);
        Unsafe.Add(ref lost, index) = ComputeType.ToDouble(error);
    }

    [MethodImpl(Inline)]
    public static void AddToDoubles(ref double sums, nuint index, T x) => Unsafe.Add(ref sums, index) += ComputeType.ToDouble(x);
}
