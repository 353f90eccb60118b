using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>tanh(u): in float by a polynomial near 0 and by the exponential elsewhere; in double by the runtime, one element at a time.</summary>
internal static class HyperbolicTangent<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    // Up to here tanh(u) = u + u^3 q(u^2), minimax, relative error 4e-9; from here on 1 - e^(-2u) loses less than two bits.
    private const double PolynomialLimit = 0.625;

    // 1 - tanh(u) is below half a unit in the last place of a float from 9.02 on.
    private const double Saturation = 10;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Evaluate(V u) => typeof(T) == typeof(float) ? EvaluateSingle(u) : EvaluateElements(u);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Constant(double value) => TSimd.Broadcast(ComputeType.FromDouble<T>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V EvaluateSingle(V u)
    {
        V magnitude = TSimd.Abs(u), one = Constant(1);
        // e = exp(-2 |u|); the maximum keeps NaN and holds -2 |u| within the range of normal results.
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(Constant(-2 * Saturation), TSimd.Multiply(Constant(-2), magnitude)), out V z);
        V e = TSimd.Multiply(m, TSimd.ExponentOf(z, TSimd.BroadcastBits((long)FloatFormat.ExponentBias<T>() << FloatFormat.FractionBits<T>())));
        V large = TSimd.CopySign(TSimd.Divide(TSimd.Subtract(one, e), TSimd.Add(one, e)), u);
        V square = TSimd.Multiply(u, u);
        V q = Constant(-0.0057170453090832350);
        q = TSimd.MultiplyAdd(q, square, Constant(0.020650587565156647));
        q = TSimd.MultiplyAdd(q, square, Constant(-0.053743498182258888));
        q = TSimd.MultiplyAdd(q, square, Constant(0.13331491288568263));
        q = TSimd.MultiplyAdd(q, square, Constant(-0.33333283925367594));
        V small = TSimd.MultiplyAdd(TSimd.Multiply(q, square), u, u);
        return TSimd.SelectBelow(u, Constant(PolynomialLimit), small, large);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V EvaluateElements(V u)
    {
        ref T element = ref Unsafe.As<V, T>(ref u);
        for (int i = 0; i < TSimd.Count; i++)
            Unsafe.Add(ref element, i) = ComputeType.FromDouble<T>(Math.Tanh(ComputeType.ToDouble(Unsafe.Add(ref element, i))));
        return u;
    }
}
