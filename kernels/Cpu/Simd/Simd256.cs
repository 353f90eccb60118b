using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.Simd;

/// <summary>Registers of 256 bits: AVX2 with FMA; in software elsewhere.</summary>
internal readonly unsafe struct Simd256<T> : ISimd<Vector256<T>, T> where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector256<T>.Count;
    }

    [MethodImpl(Inline)]
    public static Vector256<T> Broadcast(T value) => Vector256.Create(value);

    [MethodImpl(Inline)]
    public static Vector256<T> Load(ref T source, nuint index) => Vector256.LoadUnsafe(ref source, index);

    [MethodImpl(Inline)]
    public static void Store(Vector256<T> value, ref T destination, nuint index) => value.StoreUnsafe(ref destination, index);

    [MethodImpl(Inline)]
    public static Vector256<T> LoadFirst(ref T source, nuint index, nuint lanes, Vector256<T> fill)
    {
        if (!Avx.IsSupported)
            return SimdTail.Load<Vector256<T>, T>(ref source, index, lanes, fill);
        Vector256<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref source, index));
        Vector256<T> loaded = typeof(T) == typeof(float)
            ? Avx.MaskLoad((float*)address, mask.AsSingle()).As<float, T>()
            : Avx.MaskLoad((double*)address, mask.AsDouble()).As<double, T>();
        return Vector256.ConditionalSelect(mask, loaded, fill);
    }

    [MethodImpl(Inline)]
    public static void StoreFirst(Vector256<T> value, ref T destination, nuint index, nuint lanes)
    {
        if (!Avx.IsSupported)
        {
            SimdTail.Store(value, ref destination, index, lanes);
            return;
        }
        Vector256<T> mask = FirstLanes(lanes);
        T* address = (T*)Unsafe.AsPointer(ref Unsafe.Add(ref destination, index));
        if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)address, mask.AsSingle(), value.AsSingle());
        else
            Avx.MaskStore((double*)address, mask.AsDouble(), value.AsDouble());
    }

    [MethodImpl(Inline)]
    private static Vector256<T> FirstLanes(nuint lanes) => typeof(T) == typeof(float)
        ? Vector256.LessThan(Vector256<int>.Indices, Vector256.Create((int)lanes)).As<int, T>()
        : Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)lanes)).As<long, T>();

    [MethodImpl(Inline)]
    public static void StoreNonTemporal(Vector256<T> value, T* destination) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(Inline)]
    public static Vector256<T> Add(Vector256<T> a, Vector256<T> b) => a + b;

    [MethodImpl(Inline)]
    public static Vector256<T> Subtract(Vector256<T> a, Vector256<T> b) => a - b;

    [MethodImpl(Inline)]
    public static Vector256<T> Multiply(Vector256<T> a, Vector256<T> b) => a * b;

    [MethodImpl(Inline)]
    public static Vector256<T> Divide(Vector256<T> a, Vector256<T> b) => a / b;

    [MethodImpl(Inline)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c) => typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(Inline)]
    public static Vector256<T> MaxKeepingSecond(Vector256<T> a, Vector256<T> b) => Vector256.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static Vector256<T> Abs(Vector256<T> a) => Vector256.Abs(a);

    [MethodImpl(Inline)]
    public static Vector256<T> CopySign(Vector256<T> a, Vector256<T> b) => Vector256.CopySign(a, b);

    [MethodImpl(Inline)]
    public static Vector256<T> SelectBelow(Vector256<T> x, Vector256<T> limit, Vector256<T> a, Vector256<T> b) =>
        Vector256.ConditionalSelect(Vector256.LessThan(Vector256.Abs(x), limit), a, b);

    [MethodImpl(Inline)]
    public static Vector256<T> ZeroWhereEqual(Vector256<T> value, Vector256<T> x, Vector256<T> y) => Vector256.AndNot(value, Vector256.Equals(x, y));

    [MethodImpl(Inline)]
    public static Vector256<T> ExponentOf(Vector256<T> z, Vector256<T> offset) => typeof(T) == typeof(float)
        ? ((z.AsInt32() << FloatFormat.SingleFractionBits) + offset.AsInt32()).As<int, T>()
        : ((z.AsInt64() << FloatFormat.DoubleFractionBits) + offset.AsInt64()).As<long, T>();

    [MethodImpl(Inline)]
    public static Vector256<T> BroadcastBits(long bits) => typeof(T) == typeof(float)
        ? Vector256.Create((int)bits).As<int, T>()
        : Vector256.Create(bits).As<long, T>();

    [MethodImpl(Inline)]
    public static T First(Vector256<T> value) => value.ToScalar();

    [MethodImpl(Inline)]
    public static T MaxAcross(Vector256<T> value) => Simd128<T>.MaxAcross(Vector128.MaxNative(value.GetLower(), value.GetUpper()));

    [MethodImpl(Inline)]
    public static void Accumulate(ref Vector256<T> lower, ref Vector256<T> upper, Vector256<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            lower = (lower.AsDouble() + Vector256.WidenLower(x.AsSingle())).As<double, T>();
            upper = (upper.AsDouble() + Vector256.WidenUpper(x.AsSingle())).As<double, T>();
            return;
        }
        Vector256<T> sum = lower + x, part = sum - lower;
        upper += (lower - (sum - part)) + (x - part);
        lower = sum;
    }

    [MethodImpl(Inline)]
    public static double SumAcross(Vector256<T> lower, Vector256<T> upper)
    {
        if (typeof(T) == typeof(float))
            return Vector256.Sum(lower.AsDouble() + upper.AsDouble());
        var sum = new CompensatedSum();
        for (int i = 0; i < Count; i++)
            sum.Add(lower.AsDouble().GetElement(i));
        return sum.Total + Vector256.Sum(upper.AsDouble());
    }

    [MethodImpl(Inline)]
    public static Vector256<T> SubtractWide(Vector256<T> x, double first, double second) =>
        Difference(x, Vector256.Create(first), Vector256.Create(first), Vector256.Create(second), Vector256.Create(second));

    [MethodImpl(Inline)]
    public static Vector256<T> SubtractWide(Vector256<T> x, ref double first, ref double second, nuint index)
    {
        nuint upper = typeof(T) == typeof(float) ? index + (nuint)Vector256<double>.Count : index;
        return Difference(x, Vector256.LoadUnsafe(ref first, index), Vector256.LoadUnsafe(ref first, upper), Vector256.LoadUnsafe(ref second, index),
            Vector256.LoadUnsafe(ref second, upper));
    }

    // Upper halves are those of float; double has none.
    [MethodImpl(Inline)]
    private static Vector256<T> Difference(Vector256<T> x, Vector256<double> firstLower, Vector256<double> firstUpper, Vector256<double> secondLower,
        Vector256<double> secondUpper) => typeof(T) == typeof(float)
        ? Vector256.Narrow(Vector256.WidenLower(x.AsSingle()) - firstLower - secondLower, Vector256.WidenUpper(x.AsSingle()) - firstUpper - secondUpper)
            .As<float, T>()
        : (x.AsDouble() - firstLower - secondLower).As<double, T>();

    [MethodImpl(Inline)]
    public static void AccumulateEach(ref double sums, ref double lost, nuint index, Vector256<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            AddToDoubles(ref sums, index, x);
            return;
        }
        Vector256<T> sum = Vector256.LoadUnsafe(ref sums, index).As<double, T>(), error = Vector256.LoadUnsafe(ref lost, index).As<double, T>();
        Accumulate(ref sum, ref error, x);
        sum.AsDouble().StoreUnsafe(ref sums, index);
        error.AsDouble().StoreUnsafe(ref lost, index);
    }

    [MethodImpl(Inline)]
    public static void AddToDoubles(ref double sums, nuint index, Vector256<T> x)
    {
        if (typeof(T) == typeof(double))
        {
            (Vector256.LoadUnsafe(ref sums, index) + x.AsDouble()).StoreUnsafe(ref sums, index);
            return;
        }
        nuint half = (nuint)Vector256<double>.Count;
        (Vector256.LoadUnsafe(ref sums, index) + Vector256.WidenLower(x.AsSingle())).StoreUnsafe(ref sums, index);
        (Vector256.LoadUnsafe(ref sums, index + half) + Vector256.WidenUpper(x.AsSingle())).StoreUnsafe(ref sums, index + half);
    }
}
