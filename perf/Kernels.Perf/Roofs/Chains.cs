using System.Runtime.CompilerServices;

namespace Kernels.Perf;

/// <summary>What the chains of a roof loop do.</summary>
internal interface IChainStep<V>
{
    /// <summary>A chain's next value, of its last one and of two operands that stay the same.</summary>
    static abstract V Next(V last, V x, V y);

    /// <summary>One value of two chains'.</summary>
    static abstract V Combine(V left, V right);
}

/// <summary>
/// Twelve independent chains in registers: more than latency times throughput of any core (2 pipes of latency 4 or 5), and with two operands just within the 16
/// registers of AVX2.
/// </summary>
internal static class Chains<TStep, V> where TStep : struct, IChainStep<V> where V : struct
{
    public const int Count = 12;

    /// <summary>
    /// All chains after some steps, combined. Operands come from the caller, so that the compiler cannot leave out what ones and zeros do not change.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static V Run(nint steps, V start, V x, V y)
    {
        V a = start, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (; steps > 0; steps--)
        {
            a = TStep.Next(a, x, y);
            b = TStep.Next(b, x, y);
            c = TStep.Next(c, x, y);
            d = TStep.Next(d, x, y);
            e = TStep.Next(e, x, y);
            f = TStep.Next(f, x, y);
            g = TStep.Next(g, x, y);
            h = TStep.Next(h, x, y);
            i = TStep.Next(i, x, y);
            j = TStep.Next(j, x, y);
            k = TStep.Next(k, x, y);
            l = TStep.Next(l, x, y);
        }
        V first = TStep.Combine(TStep.Combine(a, b), TStep.Combine(c, d)), second = TStep.Combine(TStep.Combine(e, f), TStep.Combine(g, h));
        return TStep.Combine(TStep.Combine(first, second), TStep.Combine(TStep.Combine(i, j), TStep.Combine(k, l)));
    }
}
