using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>
/// exp(x) = m 2^n as the pair (m, n) with m in about [sqrt(1/2), sqrt(2)] and n an integer, so that no x overflows: the representation of
/// "The Two-Pass Softmax Algorithm" (arXiv 2001.04438, section 4).
/// </summary>
/// <remarks>
/// n = round(x log2 e) comes from adding 1.5 * 2^f (f: fraction bits), which leaves n in the low bits of the sum z; shifting z's bits left by f drops the
/// constant and puts n into the exponent field. t = x - n ln 2 in two steps; the first part of ln 2 is so short (14 bits in float, 39 in double) that its
/// product with |n| &lt; 2^10 (2^13 in double) is exact and that, from |x| = 1/2 on, so is the difference. m = 1 + t + t^2 q(t): minimax for the relative error
/// on |t| &lt;= 1.002 ln2 / 2, 3.2e-9 (degree 6, float) and 4.0e-18 (degree 11, double). Roundings: at most 1.3 u relative to m, u = 2^-24 (float, found by
/// trying every x of magnitude 2^-26 to 2^9).
/// </remarks>
internal static class ExtendedExponential<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>m of exp(x); <paramref name="z"/> holds n for <see cref="ISimd{V, T}.ExponentOf"/>. NaN gives NaN.</summary>
    [MethodImpl(Inline)]
    public static V Evaluate(V x, out V z) => typeof(T) == typeof(float) ? EvaluateSingle(x, out z) : EvaluateDouble(x, out z);

    [MethodImpl(Inline)]
    private static V Constant(double value) => TSimd.Broadcast(ComputeType.FromDouble<T>(value));

    [MethodImpl(Inline)]
    private static V EvaluateSingle(V x, out V z)
    {
        V magic = Constant(12582912.0); // 1.5 * 2^23
        z = TSimd.MultiplyAdd(x, Constant(1.44269504088896341), magic);
        V n = TSimd.Subtract(z, magic);
        V t = Reduce(x, n, -0.693115234375, -3.1946184945309415e-05); // 14 bits of ln 2, and the rest
        V m = Constant(0.0013815047834757296);
        m = TSimd.MultiplyAdd(m, t, Constant(0.008368710848924266));
        m = TSimd.MultiplyAdd(m, t, Constant(0.041668373892864843));
        m = TSimd.MultiplyAdd(m, t, Constant(0.16666521036129005));
        m = TSimd.MultiplyAdd(m, t, Constant(0.49999993574479313));
        return OnePlus(t, m);
    }

    [MethodImpl(Inline)]
    private static V EvaluateDouble(V x, out V z)
    {
        V magic = Constant(6755399441055744.0); // 1.5 * 2^52
        z = TSimd.MultiplyAdd(x, Constant(1.44269504088896341), magic);
        V n = TSimd.Subtract(z, magic);
        V t = Reduce(x, n, -0.6931471805582987, -1.6465949582897082e-12); // 39 bits of ln 2, and the rest
        V m = Constant(2.4997910703963432e-8);
        m = TSimd.MultiplyAdd(m, t, Constant(2.7629783309117864e-7));
        m = TSimd.MultiplyAdd(m, t, Constant(2.7557591835476738e-6));
        m = TSimd.MultiplyAdd(m, t, Constant(0.000024801494662037931));
        m = TSimd.MultiplyAdd(m, t, Constant(0.00019841269503023485));
        m = TSimd.MultiplyAdd(m, t, Constant(0.0013888888941804576));
        m = TSimd.MultiplyAdd(m, t, Constant(0.0083333333334941466));
        m = TSimd.MultiplyAdd(m, t, Constant(0.041666666666538724));
        m = TSimd.MultiplyAdd(m, t, Constant(0.16666666666666418));
        m = TSimd.MultiplyAdd(m, t, Constant(0.50000000000000093));
        return OnePlus(t, m);
    }

    [MethodImpl(Inline)]
    private static V Reduce(V x, V n, double high, double low) =>
        TSimd.MultiplyAdd(n, Constant(low), TSimd.MultiplyAdd(n, Constant(high), x));

    // 1 + t + t^2 q
    [MethodImpl(Inline)]
    private static V OnePlus(V t, V q) => TSimd.MultiplyAdd(TSimd.MultiplyAdd(q, t, Constant(1)), t, Constant(1));
}
