namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>The sizes that steer the driver.</summary>
internal static class MixedPrecisionGemmTuning
{
    /// <summary>
    /// Rows that share a pass over the weights. Their sums for a panel are 32 KiB on the stack; their eight-bit activations for 4096 inputs 512 KiB, for level
    /// 2.
    /// </summary>
    public const int BlockRows = 128;

    /// <summary>Bytes that the activations of a block take at most, unless a single row takes more.</summary>
    public const long LargestScratch = 1 << 30;

    /// <summary>Multiply-adds below which a second thread costs more than it saves: some 20 microseconds of the memory-bound single row.</summary>
    public const long ParallelProducts = 1 << 20;

    /// <summary>Panels from which on none is cut: several for each thread of a common machine.</summary>
    public const int ItemsToShareOut = 16;

    /// <summary>Inputs of a part of a panel: 32 KiB of packed weights, a microsecond of reading.</summary>
    public const int ShortestPart = 1024;
}
