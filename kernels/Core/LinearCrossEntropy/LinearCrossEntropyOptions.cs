namespace Kernels;

/// <summary>How a linear cross-entropy is to be computed. The default value has no bias and leaves out targets of -100.</summary>
public readonly ref struct LinearCrossEntropyOptions
{
    /// <summary>The target of tokens to leave out unless <see cref="IgnoredTarget"/> says otherwise: -100, as in torch.</summary>
    public const int DefaultIgnoredTarget = -100;

    /// <summary>b, [vocabulary]: added to the logits, of which minus infinity excludes a word. Empty (the default) for none.</summary>
    public ReadOnlySpan<float> Bias { get; init; }

    /// <summary>Tokens with this target are left out: whatever stands in their hidden state, NaN included, has no influence. Any number;
    /// <see langword="null"/> (the default) is -100.</summary>
    public int? IgnoredTarget { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
