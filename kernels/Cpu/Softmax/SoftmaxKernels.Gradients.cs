using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

// Backward passes.
internal readonly partial struct SoftmaxKernels<TSimd, V, T>
{
    [MethodImpl(Hot)]
    public static double Dot(ref T a, ref T b, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower;
        for (; i + 2 * width <= count; i += 2 * width)
        {
            V product = TSimd.Multiply(TSimd.Load(ref a, i), TSimd.Load(ref b, i));
            TSimd.Accumulate(ref lower, ref upper, TSimd.MultiplyAdd(TSimd.Load(ref a, i + width), TSimd.Load(ref b, i + width), product));
        }
        for (; i + width <= count; i += width)
            TSimd.Accumulate(ref lower, ref upper, TSimd.Multiply(TSimd.Load(ref a, i), TSimd.Load(ref b, i)));
        if (i < count)
            TSimd.Accumulate(ref lower, ref upper, TSimd.Multiply(Tail(ref a, i, count), Tail(ref b, i, count)));
        return TSimd.SumAcross(lower, upper);
    }

    [MethodImpl(Hot)]
    public static double Sum(ref T a, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower;
        for (; i + width <= count; i += width)
            TSimd.Accumulate(ref lower, ref upper, TSimd.Load(ref a, i));
        if (i < count)
            TSimd.Accumulate(ref lower, ref upper, Tail(ref a, i, count));
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
        private readonly V _dot = TSimd.Broadcast(dot), _scale = TSimd.Broadcast(scale);

        [MethodImpl(Inline)]
        public V Of(V g, V p) => TSimd.Multiply(TSimd.Multiply(TSimd.Subtract(g, _dot), p), _scale);
    }

    private readonly struct GradientOfLogProbabilities(T sum, T scale) : ISimdMap2<V>
    {
        // exp(l) with the bias of numerators taken back in the factor, so that it becomes 0, not the smallest normal number, for l of minus infinity.
        private readonly Terms _terms = new(new SoftmaxReference<T>(default, SoftmaxReference<T>.NumeratorBias));
        private readonly V _unbias = TSimd.Broadcast(ComputeType.FromDouble<T>(Math.ScaleB(1, -SoftmaxReference<T>.NumeratorBias)));
        private readonly V _sum = TSimd.Broadcast(sum), _scale = TSimd.Broadcast(scale);

        [MethodImpl(Inline)]
        public V Of(V g, V l)
        {
            V probability = TSimd.Multiply(_terms.Of(l), _unbias);
            return TSimd.Multiply(TSimd.Subtract(g, TSimd.Multiply(probability, _sum)), _scale);
        }
    }

    // scale (1 - t)(1 + t): 1 - t^2 would lose the small difference.
    private readonly struct TimesCapSlope(T scale, T cap) : ISimdMap2<V>
    {
        private readonly V _scale = TSimd.Broadcast(scale), _cap = TSimd.Broadcast(cap), _one = TSimd.Broadcast(ComputeType.FromDouble<T>(1));

        [MethodImpl(Inline)]
        public V Of(V x, V y)
        {
            V tanh = HyperbolicTangent<TSimd, V, T>.Evaluate(TSimd.Divide(TSimd.Multiply(x, _scale), _cap));
            V slope = TSimd.Multiply(TSimd.Multiply(_scale, TSimd.Subtract(_one, tanh)), TSimd.Add(_one, tanh));
            return TSimd.Multiply(y, slope);
        }
    }
}
