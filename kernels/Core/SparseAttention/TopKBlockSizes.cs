namespace Kernels.Core.SparseAttention;

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

    /// <summary>The number of whole compressed keys among the first keys.</summary>
    public int CompressedCount(int keyCount) => keyCount < CompressedLength ? 0 : (keyCount - CompressedLength) / CompressedStride + 1;

    private static int AtLeast(int least, int size, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, least, name);
        return size;
    }
}
