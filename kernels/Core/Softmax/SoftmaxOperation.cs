namespace Kernels.Core.Softmax;

/// <summary>What is made of a row of logits x with s = log sum exp x.</summary>
internal enum SoftmaxOperation
{
    /// <summary>exp(x - s), a row.</summary>
    Probabilities,

    /// <summary>x - s, a row.</summary>
    LogProbabilities,

    /// <summary>s, one element a row.</summary>
    LogSumExp,
}
