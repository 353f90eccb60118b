namespace Kernels;

/// <summary>How products of activations and quantised weights are computed.</summary>
public enum GemmArithmetic
{
    /// <summary>Weights become floats; products and sums are in float. The contract of MARLIN.</summary>
    Exact,

    /// <summary>
    /// Activations are rounded to 8 bits, with a scale for each row and each segment of at most 128 inputs within a group; products and sums of a segment are
    /// integers, and exact. Several times as fast; adds an error of at most 1/254 of the segment's largest activation, and 2^-149, to each activation.
    /// </summary>
    Int8Activations,
}

/// <summary>How a product is to be computed. The default value is the exact product without bias.</summary>
public readonly ref struct MixedPrecisionGemmOptions
{
    /// <summary>Floats, or eight-bit activations.</summary>
    public GemmArithmetic Arithmetic { get; init; }

    /// <summary>
    /// Added to every row, in float, before the result is rounded to its type: as many elements as there are outputs. Empty (the default) for none.
    /// </summary>
    public ReadOnlySpan<float> Bias { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
