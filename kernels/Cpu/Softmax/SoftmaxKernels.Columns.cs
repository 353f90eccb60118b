using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

// Softmax along another axis than the last: lanes are columns, and each has its own reference.
internal readonly partial struct SoftmaxKernels<TSimd, V, T>
{
    [MethodImpl(Hot)]
    public static void ColumnMax(ref T x, ref T max, nuint count) => SimdMap<TSimd, V, T>.Run2(default(Larger), ref max, ref x, ref max, count);

    [MethodImpl(Hot)]
    public static void ColumnSumExp(ref T x, ref double sums, nuint count, in ColumnReferences<T> references)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
        {
            V m = ColumnTerm(TSimd.Load(ref x, i), TSimd.Load(ref references.Origins, i), TSimd.Load(ref references.Floors, i), TSimd.Load(ref references.Offsets, i), out V power);
            TSimd.AddToDoubles(ref sums, i, TSimd.Multiply(m, power));
        }
        if (i < count)
        {
            V m = ColumnTerm(Tail(ref x, i, count), Tail(ref references.Origins, i, count), Tail(ref references.Floors, i, count), Tail(ref references.Offsets, i, count), out V power);
            V term = TSimd.Multiply(m, power);
            for (ref T lane = ref Unsafe.As<V, T>(ref term); i < count; i++, lane = ref Unsafe.Add(ref lane, 1))
                Unsafe.Add(ref sums, i) += ComputeType.ToDouble(lane);
        }
    }

    [MethodImpl(Hot)]
    public static void ColumnScaleExp(ref T x, ref T y, nuint count, in ColumnReferences<T> references, ref T factor)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
        {
            V m = ColumnTerm(TSimd.Load(ref x, i), TSimd.Load(ref references.Origins, i), TSimd.Load(ref references.Floors, i), TSimd.Load(ref references.Offsets, i), out V power);
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(m, TSimd.Load(ref factor, i)), power), ref y, i);
        }
        if (i < count)
        {
            V m = ColumnTerm(Tail(ref x, i, count), Tail(ref references.Origins, i, count), Tail(ref references.Floors, i, count), Tail(ref references.Offsets, i, count), out V power);
            TSimd.StoreFirst(TSimd.Multiply(TSimd.Multiply(m, Tail(ref factor, i, count)), power), ref y, i, count - i);
        }
    }

    [MethodImpl(Hot)]
    public static void ColumnSubtract(ref T x, ref T y, nuint count, ref T high, ref T low)
    {
        SimdMap<TSimd, V, T>.Run2(default(Difference), ref x, ref high, ref y, count);
        SimdMap<TSimd, V, T>.Run2(default(Difference), ref y, ref low, ref y, count);
    }

    [MethodImpl(Inline)]
    private static V ColumnTerm(V x, V origin, V floor, V offset, out V power)
    {
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(floor, TSimd.Subtract(x, origin)), out V z);
        power = TSimd.ExponentOf(z, offset);
        return m;
    }

    [MethodImpl(Inline)]
    private static V Tail(ref T source, nuint index, nuint count) => TSimd.LoadFirst(ref source, index, count - index, TSimd.Broadcast(default));

    private readonly struct Larger : ISimdMap2<V>
    {
        [MethodImpl(Inline)]
        public V Of(V x, V y) => TSimd.MaxKeepingSecond(x, y);
    }

    private readonly struct Difference : ISimdMap2<V>
    {
        [MethodImpl(Inline)]
        public V Of(V x, V y) => TSimd.Subtract(x, y);
    }
}
