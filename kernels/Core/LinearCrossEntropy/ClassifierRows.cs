namespace Kernels.Core.LinearCrossEntropy;

/// <summary>What a backend sees of a <see cref="LinearCrossEntropyProblem"/>: pinned pointers and numbers. Null pointers stand for what was not
/// given, or is not wanted.</summary>
internal unsafe struct ClassifierRows
{
    public LinearClassifierShape Shape;
    public int IgnoredTarget;

    /// <summary>[tokens, width], [words, width], [words].</summary>
    public float* Hidden, Weights, Bias;

    /// <summary>One for each token.</summary>
    public int* Targets;

    /// <summary>One for each token; 0 where its target is the ignored one.</summary>
    public float* Losses, LogProbabilities, LogSumExp;
}
