namespace Kernels;

/// <summary>How to multiply. The default value is right for most calls: sorted rows, zeros kept, no mask.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
public readonly record struct SpGemmOptions<T> where T : unmanaged, IEquatable<T>
{
    /// <summary>
    /// Leaves each row in the order in which its columns first appeared, which saves the sorting. (A row so long that it is worked on in stripes of columns is
    /// in that order stripe by stripe.) The order does not depend on the number of threads.
    /// </summary>
    public bool Unsorted { get; init; }

    /// <summary>Drops entries that came out as zero; by default they stay, and the pattern depends on the operands' patterns alone.</summary>
    public bool DropZeros { get; init; }

    /// <summary>Which entries to compute; <see langword="null"/> (the default) for all.</summary>
    public SpGemmMask? Mask { get; init; }

    /// <summary>
    /// A matrix of the product's shape whose entries each sum starts with; with a mask, they are masked too. <see langword="null"/> for none.
    /// </summary>
    public CsrMatrix<T>? Addend { get; init; }

    /// <summary>
    /// The most bytes that the result's columns and values may take; a larger product is refused with an <see cref="InsufficientMemoryException"/> before
    /// anything of it is allocated. 0 (the default) stands for the memory that the process may use.
    /// </summary>
    public long MaxResultBytes { get; init; }

    /// <summary>Scratch that is kept from call to call; <see langword="null"/> (the default) has the call make its own and free it.</summary>
    public SpGemmWorkspace? Workspace { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
