using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

// From logits as given to logits as exponentiated.
internal readonly partial struct SoftmaxKernels<TSimd, V, T>
{
    [MethodImpl(Hot)]
    public static void Multiply(ref T z, nuint count, T scale) => SimdMap<TSimd, V, T>.Run(new Multiplied(scale), ref z, ref z, count);

    [MethodImpl(Hot)]
    public static void Cap(ref T z, nuint count, T cap) => SimdMap<TSimd, V, T>.Run(new Capped(cap), ref z, ref z, count);

    [MethodImpl(Hot)]
    public static void Add(ref T z, ref T mask, nuint count) => SimdMap<TSimd, V, T>.Run2(default(Added), ref z, ref mask, ref z, count);

    private readonly struct Multiplied(T scale) : ISimdMap<V>
    {
        private readonly V _scale = TSimd.Broadcast(scale);

        [MethodImpl(Inline)]
        public V Of(V x) => TSimd.Multiply(x, _scale);
    }

    private readonly struct Capped(T cap) : ISimdMap<V>
    {
        private readonly V _cap = TSimd.Broadcast(cap);

        [MethodImpl(Inline)]
        public V Of(V x) => TSimd.Multiply(_cap, HyperbolicTangent<TSimd, V, T>.Evaluate(TSimd.Divide(x, _cap)));
    }

    private readonly struct Added : ISimdMap2<V>
    {
        [MethodImpl(Inline)]
        public V Of(V x, V y) => TSimd.Add(x, y);
    }
}
