namespace Kernels;

/// <summary>How blocks are selected by compressed keys; the defaults are MiniCPM4's.</summary>
public readonly record struct TopKBlockOptions
{
    /// <summary>Keys whose mean is a compressed key; null (the default) for 32.</summary>
    public int? CompressedLength { get; init; }

    /// <summary>Keys from one compressed key to the next; divides <see cref="BlockLength"/>. Null (the default) for 16.</summary>
    public int? CompressedStride { get; init; }

    /// <summary>Keys of a block; null (the default) for 64.</summary>
    public int? BlockLength { get; init; }

    /// <summary>Blocks taken for each query, forced ones included; all of them if there are no more. Null (the default) for 64.</summary>
    public int? TopK { get; init; }

    /// <summary>Leading blocks that are always taken; null (the default) for 1.</summary>
    public int? InitialBlocks { get; init; }

    /// <summary>Blocks up to a query's own that are always taken; null (the default) for 32, with blocks of 64 a window of 2048 keys.</summary>
    public int? LocalBlocks { get; init; }

    /// <summary>Variant (one of f32), parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
