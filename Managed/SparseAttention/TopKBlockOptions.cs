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
}

/// <summary>The sizes of a plan, with every default filled in and checked.</summary>
internal readonly struct TopKBlockSizes
{
    private const int DefaultCompressedLength = 32, DefaultCompressedStride = 16, DefaultBlockLength = 64;
    private const int DefaultTopK = 64, DefaultInitialBlocks = 1, DefaultLocalBlocks = 32;

    public readonly int CompressedLength, CompressedStride, BlockLength, TopK, InitialBlocks, LocalBlocks;

    public TopKBlockSizes(TopKBlockOptions options)
    {
        CompressedLength = AtLeast(1, options.CompressedLength ?? DefaultCompressedLength, nameof(options.CompressedLength));
        CompressedStride = AtLeast(1, options.CompressedStride ?? DefaultCompressedStride, nameof(options.CompressedStride));
        BlockLength = AtLeast(1, options.BlockLength ?? DefaultBlockLength, nameof(options.BlockLength));
        TopK = AtLeast(1, options.TopK ?? DefaultTopK, nameof(options.TopK));
        InitialBlocks = AtLeast(0, options.InitialBlocks ?? DefaultInitialBlocks, nameof(options.InitialBlocks));
        LocalBlocks = AtLeast(0, options.LocalBlocks ?? DefaultLocalBlocks, nameof(options.LocalBlocks));
        if (BlockLength % CompressedStride != 0)
            throw new ArgumentOutOfRangeException(nameof(options.CompressedStride), CompressedStride, $"it does not divide the block of {BlockLength}");
    }

    private static int AtLeast(int least, int size, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, least, name);
        return size;
    }
}
