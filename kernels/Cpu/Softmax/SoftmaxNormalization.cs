namespace Kernels.Cpu;

/// <summary>The constants of pass 2: <c>y = Factor term(x)</c> for probabilities, <c>y = (x - High) - Low</c> for log-probabilities.</summary>
internal readonly struct SoftmaxNormalization<C> where C : unmanaged
{
    public readonly SoftmaxReference<C> Reference;
    public readonly SplitFactor<C> Factor;
    public readonly C High, Low;

    public SoftmaxNormalization(in SoftmaxPartialSum<C> sum)
    {
        Reference = new(sum.Largest, SoftmaxReference<C>.NumeratorBias);
        Factor = new(Math.ScaleB(1 / sum.Sum, -SoftmaxReference<C>.NumeratorBias));
        (High, Low) = sum.SplitLogarithm;
    }
}
