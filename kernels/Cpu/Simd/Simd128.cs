using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.Simd;

/// <summary>Registers of 128 bits: SSE on x86-64, AdvSimd on ARM64.</summary>
internal readonly unsafe struct Simd128<T> : ISimd<Vector128<T>, T> where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector128<T>.Count;
    }

    [MethodImpl(Inline)]
    public static Vector128<T> Broadcast(T value) => Vector128.Create(value);

    [MethodImpl(Inline)]
    public static Vector128<T> Load(ref T source, nuint index) => Vector128.LoadUnsafe(ref source, index);

    [MethodImpl(Inline)]
    public static void Store(Vector128<T> value, ref T destination, nuint index) => value.StoreUnsafe(ref destination, index);

    [MethodImpl(Inline)]
    public static Vector128<T> LoadFirst(ref T source, nuint index, nuint lanes, Vector128<T> fill)
    {
        if (!Avx.IsSupported)
            return SimdTail.Load<Vector128<T>, T>(ref source, index, lanes, fill);
        Vector128<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref source, index));
        Vector128<T> loaded = typeof(T) == typeof(float)
            ? Avx.MaskLoad((float*)address, mask.AsSingle()).As<float, T>()
            : Avx.MaskLoad((double*)address, mask.AsDouble()).As<double, T>();
        return Vector128.ConditionalSelect(mask, loaded, fill);
    }

    [MethodImpl(Inline)]
    public static void StoreFirst(Vector128<T> value, ref T destination, nuint index, nuint lanes)
    {
        if (!Avx.IsSupported)
        {
            SimdTail.Store(value, ref destination, index, lanes);
            return;
        }
        Vector128<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref destination, index));
        if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)address, mask.AsSingle(), value.AsSingle());
        else
            Avx.MaskStore((double*)address, mask.AsDouble(), value.AsDouble());
    }

    [MethodImpl(Inline)]
    private static Vector128<T> FirstLanes(nuint lanes) => typeof(T) == typeof(float)
        ? Vector128.LessThan(Vector128<int>.Indices, Vector128.Create((int)lanes)).As<int, T>()
        : Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)lanes)).As<long, T>();

    [MethodImpl(Inline)]
    public static void StoreNonTemporal(Vector128<T> value, T* destination) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(Inline)]
    public static Vector128<T> Add(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(Inline)]
    public static Vector128<T> Subtract(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(Inline)]
    public static Vector128<T> Multiply(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(Inline)]
    public static Vector128<T> Divide(Vector128<T> a, Vector128<T> b) => a / b;

    [MethodImpl(Inline)]
    public static Vector128<T> MultiplyAdd(Vector128<T> a, Vector128<T> b, Vector128<T> c)
    {
        if (!Fma.IsSupported && !AdvSimd.IsSupported)
            return typeof(T) == typeof(float) ? MultiplyAddInDouble(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>() : a * b + c;
        return typeof(T) == typeof(float)
            ? Vector128.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector128.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
    }

    // The product of two floats is exact in double.
    [MethodImpl(Inline)]
    private static Vector128<float> MultiplyAddInDouble(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.Narrow(
        Vector128.WidenLower(a) * Vector128.WidenLower(b) + Vector128.WidenLower(c),
        Vector128.WidenUpper(a) * Vector128.WidenUpper(b) + Vector128.WidenUpper(c));

    [MethodImpl(Inline)]
    public static Vector128<T> MaxKeepingSecond(Vector128<T> a, Vector128<T> b) => Vector128.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static Vector128<T> Abs(Vector128<T> a) => Vector128.Abs(a);

    [MethodImpl(Inline)]
    public static Vector128<T> CopySign(Vector128<T> a, Vector128<T> b) => Vector128.CopySign(a, b);

    [MethodImpl(Inline)]
    public static Vector128<T> SelectBelow(Vector128<T> x, Vector128<T> limit, Vector128<T> a, Vector128<T> b) =>
        Vector128.ConditionalSelect(Vector128.LessThan(Vector128.Abs(x), limit), a, b);

    [MethodImpl(Inline)]
    public static Vector128<T> ZeroWhereEqual(Vector128<T> value, Vector128<T> x, Vector128<T> y) => Vector128.AndNot(value, Vector128.Equals(x, y));

    [MethodImpl(Inline)]
    public static Vector128<T> ExponentOf(Vector128<T> z, Vector128<T> offset) => typeof(T) == typeof(float)
        ? ((z.AsInt32() << FloatFormat.SingleFractionBits) + offset.AsInt32()).As<int, T>()
        : ((z.AsInt64() << FloatFormat.DoubleFractionBits) + offset.AsInt64()).As<long, T>();

    [MethodImpl(Inline)]
    public static Vector128<T> BroadcastBits(long bits) => typeof(T) == typeof(float)
        ? Vector128.Create((int)bits).As<int, T>()
        : Vector128.Create(bits).As<long, T>();

    [MethodImpl(Inline)]
    public static T First(Vector128<T> value) => value.ToScalar();

    public static T MaxAcross(Vector128<T> value)
    {
        T largest = value.GetElement(0);
        for (int i = 1; i < Count; i++)
            largest = SimdScalar<T>.MaxKeepingSecond(largest, value.GetElement(i));
        return largest;
    }

    [MethodImpl(Inline)]
    public static void Accumulate(ref Vector128<T> lower, ref Vector128<T> upper, Vector128<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            lower = (lower.AsDouble() + Vector128.WidenLower(x.AsSingle())).As<double, T>();
            upper = (upper.AsDouble() + Vector128.WidenUpper(x.AsSingle())).As<double, T>();
            return;
        }
        Vector128<T> sum = lower + x, part = sum - lower;
        upper += (lower - (sum - part)) + (x - part);
        lower = sum;
    }

    [MethodImpl(Inline)]
    public static double SumAcross(Vector128<T> lower, Vector128<T> upper)
    {
        if (typeof(T) == typeof(float))
            return Vector128.Sum(lower.AsDouble() + upper.AsDouble());
        var sum = new CompensatedSum();
        for (int i = 0; i < Count; i++)
            sum.Add(lower.AsDouble().GetElement(i));
        return sum.Total + Vector128.Sum(upper.AsDouble());
    }

    [MethodImpl(Inline)]
    public static Vector128<T> SubtractWide(Vector128<T> x, double first, double second) =>
        Difference(x, Vector128.Create(first), Vector128.Create(first), Vector128.Create(second), Vector128.Create(second));

    [MethodImpl(Inline)]
    public static Vector128<T> SubtractWide(Vector128<T> x, ref double first, ref double second, nuint index)
    {
        nuint upper = typeof(T) == typeof(float) ? index + (nuint)Vector128<double>.Count : index;
        return Difference(x, Vector128.LoadUnsafe(ref first, index), Vector128.LoadUnsafe(ref first, upper), Vector128.LoadUnsafe(ref second, index),
            Vector128.LoadUnsafe(ref second, upper));
    }

    // Upper halves are those of float; double has none.
    [MethodImpl(Inline)]
    private static Vector128<T> Difference(Vector128<T> x, Vector128<double> firstLower, Vector128<double> firstUpper, Vector128<double> secondLower,
        Vector128<double> secondUpper) => typeof(T) == typeof(float)
        ? Vector128.Narrow(Vector128.WidenLower(x.AsSingle()) - firstLower - secondLower, Vector128.WidenUpper(x.AsSingle()) - firstUpper - secondUpper)
            .As<float, T>()
        : (x.AsDouble() - firstLower - secondLower).As<double, T>();

    [MethodImpl(Inline)]
    public static void AccumulateEach(ref double sums, ref double lost, nuint index, Vector128<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            AddToDoubles(ref sums, index, x);
            return;
        }
        Vector128<T> sum = Vector128.LoadUnsafe(ref sums, index).As<double, T>(), error = Vector128.LoadUnsafe(ref lost, index).As<double, T>();
        Accumulate(ref sum, ref error, x);
        sum.AsDouble().StoreUnsafe(ref sums, index);
        error.AsDouble().StoreUnsafe(ref lost, index);
    }

    [MethodImpl(Inline)]
    public static void AddToDoubles(ref double sums, nuint index, Vector128<T> x)
    {
        if (typeof(T) == typeof(double))
        {
            (Vector128.LoadUnsafe(ref sums, index) + x.AsDouble()).StoreUnsafe(ref sums, index);
            return;
        }
        nuint half = (nuint)Vector128<double>.Count;
        (Vector128.LoadUnsafe(ref sums, index) + Vector128.WidenLower(x.AsSingle())).StoreUnsafe(ref sums, index);
        (Vector128.LoadUnsafe(ref sums, index + half) + Vector128.WidenUpper(x.AsSingle())).StoreUnsafe(ref sums, index + half);
    }
}
