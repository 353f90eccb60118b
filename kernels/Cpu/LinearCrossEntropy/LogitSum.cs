using System.Runtime.CompilerServices;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>
/// The sum of exp(z) over some of a token's logits z, relative to their largest one. Minus infinities alone, or none: 0. With plus infinity among
/// them it is plus
/// infinity, and NaN with NaN.
/// </summary>
internal readonly record struct LogitSum(double Sum, float Largest)
{
    public static LogitSum Empty => new(0, float.NegativeInfinity);

    private bool IsEmpty => Sum == 0;

    private bool IsExtreme => !double.IsFinite(Sum);

    /// <summary>Of consecutive logits, at least one.</summary>
    public static LogitSum Of<TSimd, V>(ref float logits, int count)
        where TSimd : struct, ISimd<V, float>
        where V : unmanaged
    {
        float largest = ExponentialTerms<TSimd, V, float>.Largest(ref logits, (nuint)count);
        return float.IsFinite(largest)
            ? new(ExponentialTerms<TSimd, V, float>.Sum(ref logits, (nuint)count, new SoftmaxReference<float>(largest, 0)), largest)
            : OfInfinities(ref logits, count);
    }

    // The largest logit is infinite, or NaN hid it.
    private static LogitSum OfInfinities(ref float logits, int count)
    {
        float largest = float.NegativeInfinity;
        for (int i = 0; i < count; i++)
            largest = Math.Max(largest, Unsafe.Add(ref logits, i));
        return float.IsNegativeInfinity(largest) ? Empty : new(largest, largest);
    }

    /// <summary>The sum of both. The order of additions shows in the last bits of a double.</summary>
    public LogitSum Plus(in LogitSum other)
    {
        if (IsExtreme || other.IsExtreme)
            return new(Sum + other.Sum, Largest + other.Largest);
        if (IsEmpty || other.IsEmpty)
            return IsEmpty ? other : this;
        var reference = new SoftmaxReference<float>(Math.Max(Largest, other.Largest), 0);
        return new(RelativeTo(reference) + other.RelativeTo(reference), reference.Largest);
    }

    private double RelativeTo(in SoftmaxReference<float> reference) =>
        reference.Largest == Largest ? Sum : Sum * new SoftmaxReference<float>(Largest, 0).FactorTo(reference);

    /// <summary>log of the sum - <see cref="Largest"/>, from 0 (exactly so of a single logit) to the logarithm of their number.</summary>
    public double Excess<TSimd, V>()
        where TSimd : struct, ISimd<V, float>
        where V : unmanaged
    {
        float largest = Largest;
        return Math.Log(Sum / ExponentialTerms<TSimd, V, float>.Sum(ref largest, 1, new SoftmaxReference<float>(largest, 0)));
    }

    /// <summary>log-sum-exp of a token, and the log-probability of the word with this logit.</summary>
    public (double LogSumExp, double LogProbability) Logarithms<TSimd, V>(float logit)
        where TSimd : struct, ISimd<V, float>
        where V : unmanaged
    {
        if (IsExtreme || IsEmpty)
        {
            double limit = IsEmpty ? double.NegativeInfinity : Sum;
            return (limit, logit - limit);
        }
        double excess = Excess<TSimd, V>();
        return (Largest + excess, ((double)logit - Largest) - excess);
    }
}
