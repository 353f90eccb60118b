namespace Kernels;

/// <summary>
/// How a product with <see cref="Int8Weights"/> is to be computed. The default value is LLM.int8() with threshold 6, row by row, without bias.
/// </summary>
public readonly ref struct Int8DecompositionOptions
{
    /// <summary>The threshold of the paper (arXiv 2208.07339, section 3.2), at which its models lose nothing.</summary>
    public const float DefaultThreshold = 6;

    private readonly float? _threshold;

    /// <summary>
    /// Activations of this magnitude and above are outliers and multiplied in float: a finite number of at least 0. 0 turns decomposition off; 6 by default.
    /// NaN and infinities are outliers at any threshold.
    /// </summary>
    public float Threshold
    {
        get => _threshold ?? DefaultThreshold;
        init => _threshold = value;
    }

    /// <summary>Outliers element by element (the default), or columns united over the batch.</summary>
    public OutlierScope Outliers { get; init; }

    /// <summary>
    /// Added to every row, in float, before the result is rounded to its type: as many elements as there are outputs. Empty (the default) for none.
    /// </summary>
    public ReadOnlySpan<float> Bias { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
