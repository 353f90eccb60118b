using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Primitives;

/// <summary>
/// Sums of exponentials of contiguous elements relative to a <see cref="SoftmaxReference{T}"/>: <c>term(x) = exp(x - origin) 2^(bias -
/// exponent)</c>. Counts are at least 1. A term is off by 1.25 u of
/// itself (<see cref="ExtendedExponential{TSimd, V, T}"/>), and by one rounding more where two of them are added; further additions are wider.
/// </summary>
internal static class ExponentialTerms<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Compiled in full at the first call: a caller who sums one vocabulary must not run it in unoptimised code.
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>The largest element; if there is a NaN, it or any other element.</summary>
    [MethodImpl(Hot)]
    public static T Largest(ref T x, nuint count)
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

    /// <summary>The sum of term(x). Right only if no x exceeds the reference's ceiling; NaN among them gives NaN.</summary>
    [MethodImpl(Hot)]
    public static double Sum(ref T x, nuint count, in SoftmaxReference<T> reference)
    {
        V origin = TSimd.Broadcast(reference.Origin), floor = TSimd.Broadcast(reference.Floor), offset = TSimd.BroadcastBits(reference.OffsetBits);
        nuint width = (nuint)TSimd.Count, i = 0;
        V lower = TSimd.Broadcast(default), upper = lower;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            V first = Add(TSimd.Load(ref x, i + width), Term(TSimd.Load(ref x, i), origin, floor, offset), origin, floor, offset);
            V second = Add(TSimd.Load(ref x, i + 3 * width), Term(TSimd.Load(ref x, i + 2 * width), origin, floor, offset), origin, floor, offset);
            TSimd.Accumulate(ref lower, ref upper, first);
            TSimd.Accumulate(ref lower, ref upper, second);
        }
        for (; i + width <= count; i += width)
            TSimd.Accumulate(ref lower, ref upper, Term(TSimd.Load(ref x, i), origin, floor, offset));
        if (i < count)
            TSimd.Accumulate(ref lower, ref upper, Term(LoadTail(ref x, i, count), origin, floor, offset));
        return TSimd.SumAcross(lower, upper);
    }

    [MethodImpl(Inline)]
    private static V Term(V x, V origin, V floor, V offset)
    {
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(floor, TSimd.Subtract(x, origin)), out V z);
        return TSimd.Multiply(m, TSimd.ExponentOf(z, offset));
    }

    [MethodImpl(Inline)]
    private static V Add(V x, V sum, V origin, V floor, V offset)
    {
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(TSimd.MaxKeepingSecond(floor, TSimd.Subtract(x, origin)), out V z);
        return TSimd.MultiplyAdd(m, TSimd.ExponentOf(z, offset), sum);
    }

    // Minus infinity behind the last element: its term is negligible and it is no maximum.
    [MethodImpl(Inline)]
    private static V LoadTail(ref T x, nuint index, nuint count) =>
        TSimd.LoadFirst(ref x, index, count - index, TSimd.Broadcast(ComputeType.FromDouble<T>(double.NegativeInfinity)));
}
