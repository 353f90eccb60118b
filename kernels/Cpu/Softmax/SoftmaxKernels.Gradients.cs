using System.Runtime.CompilerServices;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

internal readonly partial struct SoftmaxKernels<TSimd, V, T>
{
    [MethodImpl(Hot)]
    public static double Dot(ref T g, ref T p, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower, zero = lower;
        for (; i + 2 * width <= count; i += 2 * width)
        {
            V p0 = TSimd.Load(ref p, i), p1 = TSimd.Load(ref p, i + width);
            V product = TSimd.Multiply(TSimd.ZeroWhereEqual(TSimd.Load(ref g, i), p0, zero), p0);
            TSimd.Accumulate(ref lower, ref upper, TSimd.MultiplyAdd(TSimd.ZeroWhereEqual(TSimd.Load(ref g, i + width), p1, zero), p1, product));
        }
        for (; i + width <= count; i += width)
        {
            V p0 = TSimd.Load(ref p, i);
            TSimd.Accumulate(ref lower, ref upper, TSimd.Multiply(TSimd.ZeroWhereEqual(TSimd.Load(ref g, i), p0, zero), p0));
        }
        if (i < count)
        {
            V p0 = Tail(ref p, i, count);
            TSimd.Accumulate(ref lower, ref upper, TSimd.Multiply(TSimd.ZeroWhereEqual(Tail(ref g, i, count), p0, zero), p0));
        }
        return TSimd.SumAcross(lower, upper);
    }

    [MethodImpl(Hot)]
    public static double Sum(ref T g, ref T l, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower, minusInfinity = MinusInfinity;
        for (; i + width <= count; i += width)
            TSimd.Accumulate(ref lower, ref upper, TSimd.ZeroWhereEqual(TSimd.Load(ref g, i), TSimd.Load(ref l, i), minusInfinity));
        if (i < count)
            TSimd.Accumulate(ref lower, ref upper, TSimd.ZeroWhereEqual(Tail(ref g, i, count), Tail(ref l, i, count), minusInfinity));
        return TSimd.SumAcross(lower, upper);
    }

    [MethodImpl(Hot)]
    public static void Gradient(ref T g, ref T p, ref T y, nuint count, T dot, T scale) =>
        SimdMap<TSimd, V, T>.Run2(new GradientOfProbabilities(dot, scale), ref g, ref p, ref y, count);

    [MethodImpl(Hot)]
    public static void LogGradient(ref T g, ref T l, ref T y, nuint count, T sum, T scale) =>
        SimdMap<TSimd, V, T>.Run2(new GradientOfLogProbabilities(sum, scale), ref g, ref l, ref y, count);

    [MethodImpl(Hot)]
    public static void MultiplyCapSlope(ref T x, ref T y, nuint count, T scale, T cap) =>
        SimdMap<TSimd, V, T>.Run2(new TimesCapSlope(scale, cap), ref x, ref y, ref y, count);

    private readonly struct GradientOfProbabilities(T dot, T scale) : ISimdMap2<V>
    {
        private readonly V _dot = TSimd.Broadcast(dot), _scale = TSimd.Broadcast(scale), _zero = TSimd.Broadcast(default);

        [MethodImpl(Inline)]
        public V Of(V g, V p) => TSimd.ZeroWhereEqual(TSimd.Multiply(TSimd.Multiply(TSimd.Subtract(g, _dot), p), _scale), p, _zero);
    }

    private readonly struct GradientOfLogProbabilities(T sum, T scale) : ISimdMap2<V>
    {
        // exp(l) with the bias of numerators taken back in the factor, so that it becomes 0, not the smallest normal number, for very negative l.
        private readonly Terms _terms = new(new SoftmaxReference<T>(default, SoftmaxReference<T>.NumeratorBias));
        private readonly V _unbias = TSimd.Broadcast(ComputeType.FromDouble<T>(Math.ScaleB(1, -SoftmaxReference<T>.NumeratorBias)));
        private readonly V _sum = TSimd.Broadcast(sum), _scale = TSimd.Broadcast(scale), _minusInfinity = MinusInfinity;

        [MethodImpl(Inline)]
        public V Of(V g, V l)
        {
            V probability = TSimd.Multiply(_terms.Of(l), _unbias);
            return TSimd.ZeroWhereEqual(TSimd.Multiply(TSimd.Subtract(g, TSimd.Multiply(probability, _sum)), _scale), l, _minusInfinity);
        }
    }

    // scale (1 - t)(1 + t): 1 - t^2 would lose the small difference.
    private readonly struct TimesCapSlope(T scale, T cap) : ISimdMap2<V>
    {
        private readonly V _scale = TSimd.Broadcast(scale), _cap = TSimd.Broadcast(cap), _one = TSimd.Broadcast(ComputeType.FromDouble<T>(1)),
            _zero = TSimd.Broadcast(default);

        [MethodImpl(Inline)]
        public V Of(V x, V y)
        {
            V tanh = HyperbolicTangent<TSimd, V, T>.Evaluate(TSimd.Divide(TSimd.Multiply(x, _scale), _cap));
            V slope = TSimd.Multiply(TSimd.Multiply(_scale, TSimd.Subtract(_one, tanh)), TSimd.Add(_one, tanh));
            return TSimd.ZeroWhereEqual(TSimd.Multiply(y, slope), y, _zero);
        }
    }
}
