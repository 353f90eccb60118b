using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Every size that steers the attention driver, and what it was derived from.</summary>
internal static class AttentionTuning
{
    /// <summary>
    /// Queries and keys of a tile: 16 KiB of scores, which stay in level 1 from the products that make them to the products that use them; keys handled at a
    /// time when streaming, too.
    /// </summary>
    public const int Tile = 1 << TileShift;

    public const int TileShift = 6;

    /// <summary>Query rows (queries times heads of a group) up to which keys are streamed as they are stored; more of them repay packing.</summary>
    public const int LargestStreamedRowCount = 16;

    /// <summary>
    /// Keys of a part of a long sequence that a thread streams at a time: 1 MiB of 16-bit keys and values of 128, some 20 microseconds of memory time. A
    /// multiple of the tile.
    /// </summary>
    public const int ChunkLength = 2048;

    /// <summary>Bytes of packed keys and values in use at a time; at least one head's are.</summary>
    public const long PackedBytes = 64L << 20;

    /// <summary>Products below which a second thread does not pay: 50 microseconds at 40 GFLOP/s.</summary>
    public const long ParallelProducts = 1 << 20;

    /// <summary>
    /// Bits that a term may exceed its row's reference by: leaves 2^67 to the largest float for sums over keys, and 2^64 times a value's size for results.
    /// </summary>
    public const int HeadroomBits = 60;

    /// <summary>Logits beyond this are not told apart from infinity: n of <see cref="ExtendedExponential{TSimd, V, T}"/> has 22 bits.</summary>
    public const float LargestLogit = 1 << 21;

    /// <summary>Logits below this leave their key out; an additive mask below it does, whatever the product is.</summary>
    public const float SmallestLogit = -LargestLogit;

    /// <summary>
    /// Terms are 0 below exp(-88) = 2^-127 of their row's reference: only where that lies within this of <see cref="SmallestLogit"/> could logits below that
    /// one still give terms.
    /// </summary>
    public const float TermReach = 128;

    /// <summary>Query rows of a plan that are handled together are a multiple of this: whole tiles of products, which have 6 rows or 8.</summary>
    public const int PlanRowMultiple = 24;

    /// <summary>Queries of a plan that are handled together at most: two multiples, products with a panel of keys from level 1.</summary>
    public const int LargestPlanRowCount = 2 * PlanRowMultiple;

    /// <summary>
    /// Elements of rows of logits that a plan's queries have together, as long as one multiple of them allows: 512 KiB, half of a small level 2.
    /// </summary>
    public const int PlanElements = 1 << 17;

    // Rows side by side at a distance of a multiple of 4 KiB: a processor takes the read of one for a read of what was just written to another.
    private const int AliasingMultiple = 4096 / sizeof(float);

    /// <summary>The distance of rows of so many scores that are written side by side: whole tiles.</summary>
    public static int RowStride(int count)
    {
        int stride = (count + Tile - 1) / Tile * Tile;
        return stride % AliasingMultiple == 0 ? stride + Tile : stride;
    }
}
