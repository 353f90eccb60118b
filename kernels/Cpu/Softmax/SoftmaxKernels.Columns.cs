using System.Runtime.CompilerServices;
using Kernels.Core.Elements;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

// Softmax along another axis than the last: lanes are columns, and each has its own reference.
internal readonly partial struct SoftmaxKernels<TSimd, V, T>
{
    [MethodImpl(Hot)]
    public static void ColumnMax(ref T x, ref T max, nuint count) => SimdMap<TSimd, V, T>.Run2(default(Larger), ref max, ref x, ref max, count);

    // SoftmaxReference in registers. Its exponents may differ by 1 from these where largest log2 e lies between two integers, which changes no digit of a
    // result.
    [MethodImpl(Hot)]
    public static void SetColumnReferences(ref T largest, nuint count, int bias, in ColumnReferences<T> references)
    {
        int exponentBias = FloatFormat.ExponentBias<T>(), fractionBits = FloatFormat.FractionBits<T>();
        // Added to n, leaves it in the low bits, as in ExtendedExponential.
        V magic = TSimd.Broadcast(ComputeType.FromDouble<T>(1.5 * (1L << fractionBits))), zero = TSimd.Broadcast(default);
        V range = TSimd.Broadcast(ComputeType.FromDouble<T>(SoftmaxReference<T>.DirectRange));
        V log2E = TSimd.Broadcast(ComputeType.FromDouble<T>(Logarithms.Log2E)), ln2 = TSimd.Broadcast(ComputeType.FromDouble<T>(Logarithms.Ln2));
        V floorAtZero = TSimd.Broadcast(ComputeType.FromDouble<T>((2 - bias - exponentBias) * Logarithms.Ln2));
        V offsetAtZero = TSimd.BroadcastBits((long)(exponentBias + bias) << fractionBits);
        for (nuint i = 0; i < count; i += (nuint)TSimd.Count)
        {
            V x = TSimd.Load(ref largest, i);
            x = TSimd.ZeroWhereEqual(x, x, MinusInfinity);
            V n = TSimd.SelectBelow(x, range, TSimd.Subtract(TSimd.MultiplyAdd(x, log2E, magic), magic), zero);
            TSimd.Store(TSimd.SelectBelow(x, range, zero, x), ref references.Origins, i);
            TSimd.Store(TSimd.MultiplyAdd(n, ln2, floorAtZero), ref references.Floors, i);
            TSimd.Store(TSimd.ExponentOf(TSimd.Subtract(magic, n), offsetAtZero), ref references.Offsets, i);
        }
    }

    [MethodImpl(Hot)]
    public static void ColumnSumExp(ref T x, ref double sums, ref double lost, nuint count, in ColumnReferences<T> references)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
            TSimd.AccumulateEach(ref sums, ref lost, i, ColumnTerm(TSimd.Load(ref x, i), references, i));
        if (i < count)
            TSimd.AccumulateEach(ref sums, ref lost, i, ColumnTerm(Tail(ref x, i, count), references, i));
    }

    [MethodImpl(Hot)]
    public static void ColumnScaleExp(ref T x, ref T y, nuint count, in ColumnReferences<T> references, ref T high, ref T low)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
            TSimd.Store(ColumnQuotient(ColumnTerm(TSimd.Load(ref x, i), references, i), ref high, ref low, i), ref y, i);
        if (i < count)
            TSimd.StoreFirst(ColumnQuotient(ColumnTerm(Tail(ref x, i, count), references, i), ref high, ref low, i), ref y, i, count - i);
    }

    [MethodImpl(Hot)]
    public static void ColumnSubtract(ref T x, ref T y, nuint count, ref double largest, ref double excess)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
            TSimd.Store(TSimd.SubtractWide(TSimd.Load(ref x, i), ref largest, ref excess, i), ref y, i);
        if (i < count)
            TSimd.StoreFirst(TSimd.SubtractWide(Tail(ref x, i, count), ref largest, ref excess, i), ref y, i, count - i);
    }

    [MethodImpl(Inline)]
    private static V ColumnTerm(V x, in ColumnReferences<T> references, nuint i)
    {
        V distance = TSimd.Subtract(x, TSimd.Load(ref references.Origins, i));
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(TSimd.Load(ref references.Floors, i), distance), out V z);
        return TSimd.Multiply(m, TSimd.ExponentOf(z, TSimd.Load(ref references.Offsets, i)));
    }

    [MethodImpl(Inline)]
    private static V ColumnQuotient(V term, ref T high, ref T low, nuint i) =>
        TSimd.MultiplyAdd(term, TSimd.Load(ref high, i), TSimd.Multiply(term, TSimd.Load(ref low, i)));

    [MethodImpl(Inline)]
    private static V Tail(ref T source, nuint index, nuint count) => TSimd.LoadFirst(ref source, index, count - index, TSimd.Broadcast(default));

    private readonly struct Larger : ISimdMap2<V>
    {
        [MethodImpl(Inline)]
        public V Of(V x, V y) => TSimd.MaxKeepingSecond(x, y);
    }
}
