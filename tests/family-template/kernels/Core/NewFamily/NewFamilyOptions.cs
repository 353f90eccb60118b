namespace Kernels;

/// <summary>How a new family is to be computed. The default value is right for most calls.</summary>
public readonly ref struct NewFamilyOptions
{
    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
