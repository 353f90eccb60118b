using Kernels.Core.Threading;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>Every size that steers the driver, and what it was derived from. None shows in a bit but <see cref="TileWords"/> and the length of a
/// stretch, which depends on the vocabulary's size alone.</summary>
internal static class LinearCrossEntropyTuning
{
    /// <summary>Words of a tile of logits: 1 KiB of a row, which is in level 1 when it is exponentiated, and eight slivers of the widest registers'
    /// product.</summary>
    public const int TileWords = 256;

    /// <summary>
    /// Tokens of a block. The words' weights are read, and laid out for the product, once for each block: one or two cycles an element, beside 1024
    /// multiply-adds, some 32 cycles. A tile of
    /// logits is then 1 MiB.
    /// </summary>
    public const int BlockTokens = 1024;

    /// <summary>The most logits of a tile.</summary>
    public const int TileLogits = BlockTokens * TileWords;

    /// <summary>Ignored tokens in a row that end a block: with fewer it is cheaper to multiply them too than to lay out the weights once more.</summary>
    public const int GapTokens = 64;

    /// <summary>The most stretches of a vocabulary, whose sums are kept apart: pieces of work enough for any number of threads, at 16 bytes for each
    /// token of a block.</summary>
    public const int MostStretches = 64;

    /// <summary>The fewest tokens of a piece of work, where a small vocabulary alone has too few for all threads.</summary>
    public const int FewestTokens = 64;

    /// <summary>Pieces for each thread, so that one which comes late, or is slower, does fewer.</summary>
    public const int ItemsPerThread = 4;

    /// <summary>Multiply-adds below which a second thread does not pay: some 50 microseconds.</summary>
    public const long ParallelOperations = 2L << 20;

    public static int ThreadCount(in LinearClassifierShape shape, in KernelOptions options) =>
        ThreadPolicy.Threads((long)Int128.Min((Int128)shape.TokenCount * shape.Width * shape.VocabularySize, long.MaxValue), ParallelOperations, options);
}
