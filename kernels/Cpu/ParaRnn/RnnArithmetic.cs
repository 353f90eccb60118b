using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>A cell's arithmetic on SIMD registers.</summary>
internal readonly struct RnnArithmetic<TSimd, V, T> : IRnnArithmetic<V>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static V Constant(double value) => TSimd.Broadcast(ComputeType.FromDouble<T>(value));

    [MethodImpl(Inline)]
    public static V Add(V a, V b) => TSimd.Add(a, b);

    [MethodImpl(Inline)]
    public static V Subtract(V a, V b) => TSimd.Subtract(a, b);

    [MethodImpl(Inline)]
    public static V Multiply(V a, V b) => TSimd.Multiply(a, b);

    [MethodImpl(Inline)]
    public static V Divide(V a, V b) => TSimd.Divide(a, b);

    [MethodImpl(Inline)]
    public static V MultiplyAdd(V a, V b, V c) => TSimd.MultiplyAdd(a, b, c);

    [MethodImpl(Inline)]
    public static V Sigmoid(V a) => LogisticSigmoid<TSimd, V, T>.Evaluate(a);

    [MethodImpl(Inline)]
    public static V Tanh(V a) => HyperbolicTangent<TSimd, V, T>.Evaluate(a);
}
