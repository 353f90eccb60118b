namespace Kernels.Cpu;

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

    /// <summary>The natural logarithm of the sum.</summary>
    public double Logarithm => IsFullyMasked ? double.NegativeInfinity : ComputeType.ToDouble(Origin) + LogarithmFromOrigin;

    /// <summary>
    /// The logarithm as high + low such that x - high is exact or has the error of x alone: the origin and the rest where logits are far from 0, else the
    /// logarithm rounded to C and what that left.
    /// </summary>
    public (C High, C Low) SplitLogarithm
    {
        get
        {
            var reference = new SoftmaxReference<C>(Largest, 0);
            double origin = ComputeType.ToDouble(reference.Origin), fromOrigin = LogarithmFromOrigin;
            if (origin != 0)
                return (reference.Origin, ComputeType.FromDouble<C>(fromOrigin));
            C high = ComputeType.FromDouble<C>(fromOrigin);
            return (high, ComputeType.FromDouble<C>(fromOrigin - ComputeType.ToDouble(high)));
        }
    }

    private C Origin => new SoftmaxReference<C>(Largest, 0).Origin;

    private double LogarithmFromOrigin => new SoftmaxReference<C>(Largest, 0).LogarithmOfPower + Math.Log(Sum);

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
