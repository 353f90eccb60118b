namespace Kernels.Core.SparseAttention;

/// <summary>A <see cref="BlockMask"/> at pinned addresses; all zeros for none.</summary>
internal unsafe struct BlockMaskRows
{
    public int BlockRows;
    public int BlockColumns;
    public int RowBlockCount;
    public int HeadCount;
    public int* Offsets;
    public int* Columns;

    /// <summary>For each block its number among the partial ones, or -1; null where all are whole.</summary>
    public int* PartialNumbers;
    public ulong* PartialBits;
    public int WordsPerBlock;

    public readonly bool IsNone => Offsets == null;

    /// <summary>The row of blocks that a query of a head lies in; masks for fewer heads serve equal groups of them.</summary>
    public readonly int Row(int head, int headCount, int query) => (int)((long)head * HeadCount / headCount) * RowBlockCount + query / BlockRows;

    /// <summary>Whether all pairs of a block take part.</summary>
    public readonly bool IsWhole(int block) => PartialNumbers == null || PartialNumbers[block] < 0;

    /// <summary>Whether a pair inside a block that is not whole takes part.</summary>
    public readonly bool Allows(int block, int rowInBlock, int columnInBlock)
    {
        int bit = rowInBlock * BlockColumns + columnInBlock;
        return (PartialBits[(long)PartialNumbers[block] * WordsPerBlock + (bit >> 6)] >> (bit & 63) & 1) != 0;
    }
}
