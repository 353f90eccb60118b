namespace Kernels.Cpu;

/// <summary>A factor as the sum of two numbers of the compute type, so that x High + x Low, fused, carries the rounding of the product alone and not that of the factor.</summary>
internal readonly struct SplitFactor<T> where T : unmanaged
{
    public readonly T High, Low;

    public SplitFactor(double factor)
    {
        High = ComputeType.FromDouble<T>(factor);
        // In double nothing is left; and an infinite factor has no rest.
        Low = ComputeType.FromDouble<T>(double.IsFinite(factor) ? factor - ComputeType.ToDouble(High) : 0);
    }
}
