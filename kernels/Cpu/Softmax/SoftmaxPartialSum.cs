using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>
/// The sum of exp(x) over part of a row as the extended number <c>Sum exp(origin) 2^exponent</c>, where origin and exponent are those of the
/// <see cref="SoftmaxReference{C}"/> at <see cref="Largest"/>, the part's largest logit. Of a part with nothing but minus infinities: 0.
/// </summary>
internal readonly record struct SoftmaxPartialSum<C>(double Sum, C Largest) where C : unmanaged
{
    /// <summary>The sum of no elements.</summary>
    public static SoftmaxPartialSum<C> Empty => new(0, ComputeType.FromDouble<C>(double.NegativeInfinity));

    /// <summary>Whether every logit is minus infinity, or there is none.</summary>
    public bool IsFullyMasked => Sum == 0 && double.IsNegativeInfinity(ComputeType.ToDouble(Largest));

    /// <summary>
    /// log sum exp(x) - Largest, given the term of the largest logit, the same digits as in the sum. Of a part with a single term exactly 0, as that term is
    /// the sum; and never less, since no rounding takes a sum below one of its terms.
    /// </summary>
    public static double Excess(double sum, double largestTerm) => Math.Log(sum / largestTerm);

    /// <summary>The same number relative to another largest logit, at least as large.</summary>
    public double RelativeTo(in SoftmaxReference<C> reference) => IsFullyMasked ? 0 : Sum * new SoftmaxReference<C>(Largest, 0).FactorTo(reference);

    /// <summary>The sum of parts, added in their order: the same for every number of threads.</summary>
    public static SoftmaxPartialSum<C> Combine(ReadOnlySpan<SoftmaxPartialSum<C>> parts)
    {
        if (parts.Length == 1)
            return parts[0];
        C largest = Empty.Largest;
        foreach (SoftmaxPartialSum<C> part in parts)
        {
            if (ComputeType.ToDouble(part.Largest) > ComputeType.ToDouble(largest))
                largest = part.Largest;
        }
        var reference = new SoftmaxReference<C>(largest, 0);
        var sum = new CompensatedSum();
        foreach (SoftmaxPartialSum<C> part in parts)
            sum.Add(part.RelativeTo(reference));
        return new(sum.Total, largest);
    }
}
