using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>A number and its derivative in one direction (forward-mode automatic differentiation).</summary>
/// <param name="Value">The number.</param>
/// <param name="Tangent">Its derivative.</param>
/// <typeparam name="V">The register.</typeparam>
public readonly record struct RnnDual<V>(V Value, V Tangent) where V : unmanaged;

/// <summary>The arithmetic of <see cref="RnnDual{V}"/>: each operation with its derivative, exact but for rounding.</summary>
internal readonly struct DualArithmetic<V, TMath> : IRnnArithmetic<RnnDual<V>>
    where V : unmanaged
    where TMath : struct, IRnnArithmetic<V>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static RnnDual<V> Constant(double value) => new(TMath.Constant(value), TMath.Constant(0));

    [MethodImpl(Inline)]
    public static RnnDual<V> Add(RnnDual<V> a, RnnDual<V> b) => new(TMath.Add(a.Value, b.Value), TMath.Add(a.Tangent, b.Tangent));

    [MethodImpl(Inline)]
    public static RnnDual<V> Subtract(RnnDual<V> a, RnnDual<V> b) => new(TMath.Subtract(a.Value, b.Value), TMath.Subtract(a.Tangent, b.Tangent));

    [MethodImpl(Inline)]
    public static RnnDual<V> Multiply(RnnDual<V> a, RnnDual<V> b) =>
        new(TMath.Multiply(a.Value, b.Value), TMath.MultiplyAdd(a.Tangent, b.Value, TMath.Multiply(a.Value, b.Tangent)));

    [MethodImpl(Inline)]
    public static RnnDual<V> Divide(RnnDual<V> a, RnnDual<V> b)
    {
        V quotient = TMath.Divide(a.Value, b.Value);
        return new(quotient, TMath.Divide(TMath.Subtract(a.Tangent, TMath.Multiply(quotient, b.Tangent)), b.Value));
    }

    [MethodImpl(Inline)]
    public static RnnDual<V> MultiplyAdd(RnnDual<V> a, RnnDual<V> b, RnnDual<V> c) => new(
        TMath.MultiplyAdd(a.Value, b.Value, c.Value),
        TMath.MultiplyAdd(a.Tangent, b.Value, TMath.MultiplyAdd(a.Value, b.Tangent, c.Tangent)));

    [MethodImpl(Inline)]
    public static RnnDual<V> Sigmoid(RnnDual<V> a)
    {
        V s = TMath.Sigmoid(a.Value);
        return new(s, TMath.Multiply(a.Tangent, TMath.Multiply(s, TMath.Subtract(TMath.Constant(1), s))));
    }

    [MethodImpl(Inline)]
    public static RnnDual<V> Tanh(RnnDual<V> a)
    {
        V t = TMath.Tanh(a.Value);
        return new(t, TMath.Multiply(a.Tangent, TMath.Subtract(TMath.Constant(1), TMath.Multiply(t, t))));
    }
}
