namespace Kernels;

/// <summary>What every operation can be told about how to run. The default value is right for most calls.</summary>
/// <remarks>None of these options changes what is computed; results are bit-identical for every degree of parallelism.</remarks>
public readonly record struct KernelOptions
{
    /// <summary>
    /// The identity of the variant to run, such as <c>softmax/f32/cpu/avx2</c>; <see langword="null"/> (the default) takes the one named by the environment
    /// variable <c>KERNELS_FORCE</c>, if the operation lists it, or else the best one this machine can run. <c>KernelInfo</c> lists them by operation. An
    /// operation refuses what it does not list with an <see cref="ArgumentException"/>, and one that has a single implementation refuses all.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>The largest number of threads to use, the caller's included; 0 (the default) means as many as pay for the size at hand.</summary>
    public int MaxDegreeOfParallelism { get; init; }

    /// <summary>Stops the call between blocks of work with an <see cref="OperationCanceledException"/>; outputs are then partly written.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>For tests only: runs a variant in software where the machine lacks the instructions but the variant is written portably.</summary>
    internal bool AllowEmulation { get; init; }
}
