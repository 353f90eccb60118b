using System.Runtime.CompilerServices;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>The micro-kernels of softmax in registers of any width; four registers a step hide the latency of the polynomial.</summary>
internal readonly partial struct SoftmaxKernels<TSimd, V, T> : ISoftmaxKernels<T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Compiled in full at the first call: a caller who normalises one vocabulary row must not run it in unoptimised code.
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    public static int Width => TSimd.Count;

    [MethodImpl(Hot)]
    public static T Max(ref T x, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        V max0 = TSimd.Broadcast(x), max1 = max0, max2 = max0, max3 = max0;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            max0 = TSimd.MaxKeepingSecond(max0, TSimd.Load(ref x, i));
            max1 = TSimd.MaxKeepingSecond(max1, TSimd.Load(ref x, i + width));
            max2 = TSimd.MaxKeepingSecond(max2, TSimd.Load(ref x, i + 2 * width));
            max3 = TSimd.MaxKeepingSecond(max3, TSimd.Load(ref x, i + 3 * width));
        }
        max0 = TSimd.MaxKeepingSecond(TSimd.MaxKeepingSecond(max0, max1), TSimd.MaxKeepingSecond(max2, max3));
        for (; i + width <= count; i += width)
            max0 = TSimd.MaxKeepingSecond(max0, TSimd.Load(ref x, i));
        if (i < count)
            max0 = TSimd.MaxKeepingSecond(max0, LoadTail(ref x, i, count));
        return TSimd.MaxAcross(max0);
    }

    [MethodImpl(Hot)]
    public static double Term(T x, in SoftmaxReference<T> reference) =>
        ComputeType.ToDouble(TSimd.First(new Terms(reference).Of(TSimd.Broadcast(x))));

    [MethodImpl(Hot)]
    public static double SumExp(ref T x, nuint count, in SoftmaxReference<T> reference, out T max)
    {
        var terms = new Terms(reference);
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower;
        V max0 = TSimd.Broadcast(x), max1 = max0;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            V x0 = TSimd.Load(ref x, i), x1 = TSimd.Load(ref x, i + width), x2 = TSimd.Load(ref x, i + 2 * width), x3 = TSimd.Load(ref x, i + 3 * width);
            max0 = TSimd.MaxKeepingSecond(max0, TSimd.MaxKeepingSecond(x0, x1));
            max1 = TSimd.MaxKeepingSecond(max1, TSimd.MaxKeepingSecond(x2, x3));
            // Two terms are added with one rounding; all further sums are wider.
            TSimd.Accumulate(ref lower, ref upper, terms.AddTo(terms.Of(x0), x1));
            TSimd.Accumulate(ref lower, ref upper, terms.AddTo(terms.Of(x2), x3));
        }
        for (; i + width <= count; i += width)
        {
            V x0 = TSimd.Load(ref x, i);
            max0 = TSimd.MaxKeepingSecond(max0, x0);
            TSimd.Accumulate(ref lower, ref upper, terms.Of(x0));
        }
        if (i < count)
        {
            V tail = LoadTail(ref x, i, count);
            max0 = TSimd.MaxKeepingSecond(max0, tail);
            TSimd.Accumulate(ref lower, ref upper, terms.Of(tail));
        }
        max = TSimd.MaxAcross(TSimd.MaxKeepingSecond(max0, max1));
        return TSimd.SumAcross(lower, upper);
    }

    [MethodImpl(Hot)]
    public static double StoreExp(ref T x, ref T numerators, nuint count, in SoftmaxReference<T> reference)
    {
        var terms = new Terms(reference);
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            V y0 = terms.Of(TSimd.Load(ref x, i)), y1 = terms.Of(TSimd.Load(ref x, i + width));
            V y2 = terms.Of(TSimd.Load(ref x, i + 2 * width)), y3 = terms.Of(TSimd.Load(ref x, i + 3 * width));
            TSimd.Store(y0, ref numerators, i);
            TSimd.Store(y1, ref numerators, i + width);
            TSimd.Store(y2, ref numerators, i + 2 * width);
            TSimd.Store(y3, ref numerators, i + 3 * width);
            TSimd.Accumulate(ref lower, ref upper, TSimd.Add(y0, y1));
            TSimd.Accumulate(ref lower, ref upper, TSimd.Add(y2, y3));
        }
        for (; i + width <= count; i += width)
        {
            V y0 = terms.Of(TSimd.Load(ref x, i));
            TSimd.Store(y0, ref numerators, i);
            TSimd.Accumulate(ref lower, ref upper, y0);
        }
        if (i < count)
        {
            V tail = terms.Of(LoadTail(ref x, i, count));
            TSimd.StoreFirst(tail, ref numerators, i, count - i);
            TSimd.Accumulate(ref lower, ref upper, tail);
        }
        return TSimd.SumAcross(lower, upper);
    }

    public static void ScaleExp(ref T x, ref T y, nuint count, in SoftmaxReference<T> reference, in SplitReciprocal<T> factor, bool nonTemporal) =>
        Map(new ScaledTerms(reference, factor), ref x, ref y, count, nonTemporal);

    public static void Scale(ref T x, ref T y, nuint count, in SplitReciprocal<T> factor, bool nonTemporal) =>
        Map(new Scaled(factor), ref x, ref y, count, nonTemporal);

    public static void Subtract(ref T x, ref T y, nuint count, double largest, double excess, bool nonTemporal)
    {
        if (typeof(T) == typeof(float) && Math.Abs(largest) < SubtractedInPair.Limit)
            Map(new SubtractedInPair(largest, excess), ref x, ref y, count, nonTemporal);
        else
            Map(new Subtracted(largest, excess), ref x, ref y, count, nonTemporal);
    }

    private static void Map<TMap>(in TMap map, ref T x, ref T y, nuint count, bool nonTemporal) where TMap : struct, ISimdMap<V>
    {
        if (nonTemporal)
            MapNonTemporal(map, ref x, ref y, count);
        else
            MapCached(map, ref x, ref y, count);
    }

    // One loop a method: two would exceed what the JIT inlines into one.
    [MethodImpl(Hot)]
    private static void MapCached<TMap>(in TMap map, ref T x, ref T y, nuint count) where TMap : struct, ISimdMap<V> =>
        SimdMap<TSimd, V, T>.Run(map, ref x, ref y, count);

    [MethodImpl(Hot)]
    private static void MapNonTemporal<TMap>(in TMap map, ref T x, ref T y, nuint count) where TMap : struct, ISimdMap<V> =>
        SimdMap<TSimd, V, T>.RunNonTemporal(map, ref x, ref y, count);

    // Minus infinity behind the last element: its term is negligible and it is no maximum.
    [MethodImpl(Inline)]
    private static V LoadTail(ref T x, nuint index, nuint count) =>
        TSimd.LoadFirst(ref x, index, count - index, MinusInfinity);

    private static V MinusInfinity
    {
        [MethodImpl(Inline)]
        get => TSimd.Broadcast(ComputeType.FromDouble<T>(double.NegativeInfinity));
    }

    private readonly struct Terms(in SoftmaxReference<T> reference)
    {
        private readonly V _origin = TSimd.Broadcast(reference.Origin);
        private readonly V _floor = TSimd.Broadcast(reference.Floor);
        private readonly V _offset = TSimd.BroadcastBits(reference.OffsetBits);

        [MethodImpl(Inline)]
        public V Mantissa(V x, out V power)
        {
            V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(_floor, TSimd.Subtract(x, _origin)), out V z);
            power = TSimd.ExponentOf(z, _offset);
            return m;
        }

        [MethodImpl(Inline)]
        public V Of(V x)
        {
            V m = Mantissa(x, out V power);
            return TSimd.Multiply(m, power);
        }

        [MethodImpl(Inline)]
        public V AddTo(V sum, V x)
        {
            V m = Mantissa(x, out V power);
            return TSimd.MultiplyAdd(m, power, sum);
        }
    }

    private readonly struct ScaledTerms(in SoftmaxReference<T> reference, in SplitReciprocal<T> factor) : ISimdMap<V>
    {
        private readonly Terms _terms = new(reference);
        private readonly Scaled _scaled = new(factor);

        // The same two steps as StoreExp and Scale, so that a row's bits do not tell which form computed it.
        [MethodImpl(Inline)]
        public V Of(V x) => _scaled.Of(_terms.Of(x));
    }

    private readonly struct Scaled(in SplitReciprocal<T> factor) : ISimdMap<V>
    {
        private readonly V _high = TSimd.Broadcast(factor.High), _low = TSimd.Broadcast(factor.Low);

        [MethodImpl(Inline)]
        public V Of(V x) => TSimd.MultiplyAdd(x, _high, TSimd.Multiply(x, _low));
    }

    // In double, rounded once: for any largest logit.
    private readonly struct Subtracted(double largest, double excess) : ISimdMap<V>
    {
        private readonly double _largest = largest, _excess = excess;

        [MethodImpl(Inline)]
        public V Of(V x) => TSimd.SubtractWide(x, _largest, _excess);
    }

    // The same of float without double: largest + excess = high + low, x - high with what it loses by rounding (Knuth's TwoSum), and low, so that only the
    // last addition rounds. Below the limit low is at most 1/2, and rounded by u / 4 at most.
    private readonly struct SubtractedInPair : ISimdMap<V>
    {
        public const double Limit = 1 << 23;

        private readonly V _high, _low;

        public SubtractedInPair(double largest, double excess)
        {
            T high = ComputeType.FromDouble<T>(largest + excess);
            _high = TSimd.Broadcast(high);
            _low = TSimd.Broadcast(ComputeType.FromDouble<T>(largest - ComputeType.ToDouble(high) + excess));
        }

        [MethodImpl(Inline)]
        public V Of(V x)
        {
            V d = TSimd.Subtract(x, _high), back = TSimd.Subtract(d, x);
            V lost = TSimd.Subtract(TSimd.Subtract(x, TSimd.Subtract(d, back)), TSimd.Add(_high, back));
            // Of a logit of minus infinity NaN is lost.
            return TSimd.Add(d, TSimd.ZeroWhereEqual(TSimd.Subtract(lost, _low), d, MinusInfinity));
        }
    }
}
