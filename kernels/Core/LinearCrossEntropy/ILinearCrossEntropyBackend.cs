namespace Kernels.Core.LinearCrossEntropy;

/// <summary>One implementation of the family. Arguments were checked at the door and are pinned for the call.</summary>
internal interface ILinearCrossEntropyBackend
{
    /// <summary>Writes what is wanted of each token and returns the sum of the losses.</summary>
    double Forward(in ClassifierRows rows, in KernelOptions options);
}
