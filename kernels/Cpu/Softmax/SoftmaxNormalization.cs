using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>The constants of pass 2 for probabilities: <c>y = Factor term(x)</c>.</summary>
internal readonly struct SoftmaxNormalization<C>(in SoftmaxPartialSum<C> sum) where C : unmanaged
{
    public readonly SoftmaxReference<C> Reference = new(sum.Largest, SoftmaxReference<C>.NumeratorBias);
    public readonly SplitReciprocal<C> Factor = new(Math.ScaleB(sum.Sum, SoftmaxReference<C>.NumeratorBias));
}
