using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.Simd;

/// <summary>Registers of 512 bits: AVX-512; in software elsewhere, which tests its logic on machines without it.</summary>
internal readonly unsafe struct Simd512<T> : ISimd<Vector512<T>, T> where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector512<T>.Count;
    }

    [MethodImpl(Inline)]
    public static Vector512<T> Broadcast(T value) => Vector512.Create(value);

    [MethodImpl(Inline)]
    public static Vector512<T> Load(ref T source, nuint index) => Vector512.LoadUnsafe(ref source, index);

    [MethodImpl(Inline)]
    public static void Store(Vector512<T> value, ref T destination, nuint index) => value.StoreUnsafe(ref destination, index);

    [MethodImpl(Inline)]
    public static Vector512<T> LoadFirst(ref T source, nuint index, nuint lanes, Vector512<T> fill)
    {
        if (!Avx512F.IsSupported)
            return SimdTail.Load<Vector512<T>, T>(ref source, index, lanes, fill);
        Vector512<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref source, index));
        if (typeof(T) == typeof(float))
            return Avx512F.MaskLoad((float*)address, mask.AsSingle(), fill.AsSingle()).As<float, T>();
        return Avx512F.MaskLoad((double*)address, mask.AsDouble(), fill.AsDouble()).As<double, T>();
    }

    [MethodImpl(Inline)]
    public static void StoreFirst(Vector512<T> value, ref T destination, nuint index, nuint lanes)
    {
        if (!Avx512F.IsSupported)
        {
            SimdTail.Store(value, ref destination, index, lanes);
            return;
        }
        Vector512<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref destination, index));
        if (typeof(T) == typeof(float))
            Avx512F.MaskStore((float*)address, mask.AsSingle(), value.AsSingle());
        else
            Avx512F.MaskStore((double*)address, mask.AsDouble(), value.AsDouble());
    }

    [MethodImpl(Inline)]
    private static Vector512<T> FirstLanes(nuint lanes) => typeof(T) == typeof(float)
        ? Vector512.LessThan(Vector512<int>.Indices, Vector512.Create((int)lanes)).As<int, T>()
        : Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)lanes)).As<long, T>();

    [MethodImpl(Inline)]
    public static void StoreNonTemporal(Vector512<T> value, T* destination) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(Inline)]
    public static Vector512<T> Add(Vector512<T> a, Vector512<T> b) => a + b;

    [MethodImpl(Inline)]
    public static Vector512<T> Subtract(Vector512<T> a, Vector512<T> b) => a - b;

    [MethodImpl(Inline)]
    public static Vector512<T> Multiply(Vector512<T> a, Vector512<T> b) => a * b;

    [MethodImpl(Inline)]
    public static Vector512<T> Divide(Vector512<T> a, Vector512<T> b) => a / b;

    [MethodImpl(Inline)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(Inline)]
    public static Vector512<T> MaxKeepingSecond(Vector512<T> a, Vector512<T> b) => Vector512.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static Vector512<T> Abs(Vector512<T> a) => Vector512.Abs(a);

    [MethodImpl(Inline)]
    public static Vector512<T> CopySign(Vector512<T> a, Vector512<T> b) => Vector512.CopySign(a, b);

    [MethodImpl(Inline)]
    public static Vector512<T> SelectBelow(Vector512<T> x, Vector512<T> limit, Vector512<T> a, Vector512<T> b) =>
        Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(x), limit), a, b);

    [MethodImpl(Inline)]
    public static Vector512<T> ZeroWhereEqual(Vector512<T> value, Vector512<T> x, Vector512<T> y) => Vector512.AndNot(value, Vector512.Equals(x, y));

    [MethodImpl(Inline)]
    public static Vector512<T> ExponentOf(Vector512<T> z, Vector512<T> offset) => typeof(T) == typeof(float)
        ? ((z.AsInt32() << FloatFormat.SingleFractionBits) + offset.AsInt32()).As<int, T>()
        : ((z.AsInt64() << FloatFormat.DoubleFractionBits) + offset.AsInt64()).As<long, T>();

    [MethodImpl(Inline)]
    public static Vector512<T> BroadcastBits(long bits) => typeof(T) == typeof(float)
        ? Vector512.Create((int)bits).As<int, T>()
        : Vector512.Create(bits).As<long, T>();

    [MethodImpl(Inline)]
    public static T First(Vector512<T> value) => value.ToScalar();

    [MethodImpl(Inline)]
    public static T MaxAcross(Vector512<T> value) => Simd256<T>.MaxAcross(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    [MethodImpl(Inline)]
    public static void Accumulate(ref Vector512<T> lower, ref Vector512<T> upper, Vector512<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            lower = (lower.AsDouble() + Vector512.WidenLower(x.AsSingle())).As<double, T>();
            upper = (upper.AsDouble() + Vector512.WidenUpper(x.AsSingle())).As<double, T>();
            return;
        }
        Vector512<T> sum = lower + x, part = sum - lower;
        upper += (lower - (sum - part)) + (x - part);
        lower = sum;
    }

    [MethodImpl(Inline)]
    public static double SumAcross(Vector512<T> lower, Vector512<T> upper)
    {
        if (typeof(T) == typeof(float))
            return Vector512.Sum(lower.AsDouble() + upper.AsDouble());
        var sum = new CompensatedSum();
        for (int i = 0; i < Count; i++)
            sum.Add(lower.AsDouble().GetElement(i));
        return sum.Total + Vector512.Sum(upper.AsDouble());
    }

    [MethodImpl(Inline)]
    public static Vector512<T> SubtractWide(Vector512<T> x, double first, double second) =>
        Difference(x, Vector512.Create(first), Vector512.Create(first), Vector512.Create(second), Vector512.Create(second));

    [MethodImpl(Inline)]
    public static Vector512<T> SubtractWide(Vector512<T> x, ref double first, ref double second, nuint index)
    {
        nuint upper = typeof(T) == typeof(float) ? index + (nuint)Vector512<double>.Count : index;
        return Difference(x, Vector512.LoadUnsafe(ref first, index), Vector512.LoadUnsafe(ref first, upper), Vector512.LoadUnsafe(ref second, index),
            Vector512.LoadUnsafe(ref second, upper));
    }

    // Upper halves are those of float; double has none.
    [MethodImpl(Inline)]
    private static Vector512<T> Difference(Vector512<T> x, Vector512<double> firstLower, Vector512<double> firstUpper, Vector512<double> secondLower,
        Vector512<double> secondUpper) => typeof(T) == typeof(float)
        ? Vector512.Narrow(Vector512.WidenLower(x.AsSingle()) - firstLower - secondLower, Vector512.WidenUpper(x.AsSingle()) - firstUpper - secondUpper)
            .As<float, T>()
        : (x.AsDouble() - firstLower - secondLower).As<double, T>();

    [MethodImpl(Inline)]
    public static void AccumulateEach(ref double sums, ref double lost, nuint index, Vector512<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            AddToDoubles(ref sums, index, x);
            return;
        }
        Vector512<T> sum = Vector512.LoadUnsafe(ref sums, index).As<double, T>(), error = Vector512.LoadUnsafe(ref lost, index).As<double, T>();
        Accumulate(ref sum, ref error, x);
        sum.AsDouble().StoreUnsafe(ref sums, index);
        error.AsDouble().StoreUnsafe(ref lost, index);
    }

    [MethodImpl(Inline)]
    public static void AddToDoubles(ref double sums, nuint index, Vector512<T> x)
    {
        if (typeof(T) == typeof(double))
        {
            (Vector512.LoadUnsafe(ref sums, index) + x.AsDouble()).StoreUnsafe(ref sums, index);
            return;
        }
        nuint half = (nuint)Vector512<double>.Count;
        (Vector512.LoadUnsafe(ref sums, index) + Vector512.WidenLower(x.AsSingle())).StoreUnsafe(ref sums, index);
        (Vector512.LoadUnsafe(ref sums, index + half) + Vector512.WidenUpper(x.AsSingle())).StoreUnsafe(ref sums, index + half);
    }
}
