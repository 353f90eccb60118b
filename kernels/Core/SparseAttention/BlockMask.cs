using System.Runtime.InteropServices;
using Kernels.Core.SparseAttention;

namespace Kernels;

/// <summary>
/// Which blocks of (query, key) pairs take part in attention: for each head a block matrix in compressed rows (CSR), with blocks of R queries by C keys and,
/// where wanted, a bit for each pair inside a block. Immutable; may be shared by threads.
/// </summary>
/// <remarks>
/// Query i of M stands at position i + N - M (bottom right). Patterns include keys after a query; <see cref="AttentionOptions.Causal"/> removes them.
/// Memory: 4 bytes a row of blocks, 4 a block (8 if any is partial), and R C / 8 a partial block.
/// </remarks>
public sealed partial class BlockMask
{
    internal const int BitsPerWord = 64;

    private readonly int[] _offsets, _columns;
    private readonly int[]? _partialNumbers;
    private readonly ulong[] _partialBits;

    private BlockMask(BlockMaskShape shape, int[] offsets, int[] columns, int[]? partialNumbers, ulong[] partialBits)
    {
        Shape = shape;
        _offsets = Pinned(offsets);
        _columns = Pinned(columns);
        _partialNumbers = partialNumbers is null ? null : Pinned(partialNumbers);
        _partialBits = Pinned(partialBits);
    }

    /// <summary>Sizes of the pairs and of the blocks.</summary>
    public BlockMaskShape Shape { get; }

    /// <summary>Where each row of blocks begins in <see cref="Columns"/>: [heads, rows of blocks] and one more.</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>The columns of the blocks, ascending in each row.</summary>
    public ReadOnlySpan<int> Columns => _columns;

    /// <summary>The number of blocks that take part, in part or whole.</summary>
    public int BlockCount => _columns.Length;

    /// <summary>The share of blocks that take part.</summary>
    public double Density => _columns.Length / ((double)Shape.HeadCount * Shape.RowBlockCount * Math.Max(1, Shape.ColumnBlockCount));

    /// <summary>Whether a pair takes part.</summary>
    /// <param name="head">The head, of <see cref="BlockMaskShape.HeadCount"/>.</param>
    /// <param name="query">The query, of <see cref="BlockMaskShape.QueryCount"/>.</param>
    /// <param name="key">The key, of <see cref="BlockMaskShape.KeyCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pair.</exception>
    public bool Allows(int head, int query, int key)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(head);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(head, Shape.HeadCount);
        ArgumentOutOfRangeException.ThrowIfNegative(query);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(query, Shape.QueryCount);
        ArgumentOutOfRangeException.ThrowIfNegative(key);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(key, Shape.KeyCount);
        int row = head * Shape.RowBlockCount + query / Shape.BlockRows, begin = _offsets[row];
        int found = _columns.AsSpan(begin, _offsets[row + 1] - begin).BinarySearch(key / Shape.BlockColumns);
        return found >= 0 && (Rows.IsWhole(begin + found) || Rows.Allows(begin + found, query % Shape.BlockRows, key % Shape.BlockColumns));
    }

    /// <summary>A mask from its block matrix.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="offsets">Where each row of blocks begins in <paramref name="columns"/>, head after head, and where the last one ends.</param>
    /// <param name="columns">Columns of blocks, strictly ascending in each row.</param>
    /// <param name="partialBits">
    /// Empty (all blocks whole), or for each block ceil(R C / 64) words: bit r C + c of them, lowest first, says whether the pair (r, c) takes part.
    /// </param>
    /// <exception cref="ArgumentException">Sizes do not match, a column is out of range, unsorted or there twice.</exception>
    public static BlockMask FromCsr(BlockMaskShape shape, ReadOnlySpan<int> offsets, ReadOnlySpan<int> columns, ReadOnlySpan<ulong> partialBits = default)
    {
        shape.Check(nameof(shape));
        int rows = shape.HeadCount * shape.RowBlockCount, words = shape.WordsPerBlock;
        if (offsets.Length != rows + 1 || offsets[0] != 0 || offsets[rows] != columns.Length)
            throw new ArgumentException($"{offsets.Length} offsets do not go from 0 to {columns.Length} in {rows} rows of blocks", nameof(offsets));
        for (int row = 0; row < rows; row++)
        {
            if (offsets[row + 1] < offsets[row] || offsets[row + 1] > columns.Length)
                throw new ArgumentException($"offset {row + 1}, {offsets[row + 1]}, is less than the one before or beyond the {columns.Length} columns",
                    nameof(offsets));
            for (int i = offsets[row]; i < offsets[row + 1]; i++)
            {
                if ((uint)columns[i] >= (uint)shape.ColumnBlockCount)
                    throw new ArgumentOutOfRangeException(nameof(columns), columns[i], $"row {row} of blocks has columns 0 to {shape.ColumnBlockCount - 1}");
                if (i > offsets[row] && columns[i] <= columns[i - 1])
                    throw new ArgumentException($"column {columns[i]} of row {row} follows {columns[i - 1]}: columns must ascend", nameof(columns));
            }
        }
        if (!partialBits.IsEmpty && partialBits.Length != (long)columns.Length * words)
            throw new ArgumentException($"{partialBits.Length} words for {columns.Length} blocks of {words}", nameof(partialBits));
        int[]? numbers = partialBits.IsEmpty ? null : [.. Enumerable.Range(0, columns.Length)];
        return new BlockMask(shape, offsets.ToArray(), columns.ToArray(), numbers, partialBits.ToArray());
    }

    /// <summary>The arrays are pinned for good, so that this is as safe as the mask is alive.</summary>
    internal unsafe BlockMaskRows Rows => new()
    {
        BlockRows = Shape.BlockRows,
        BlockColumns = Shape.BlockColumns,
        RowBlockCount = Shape.RowBlockCount,
        HeadCount = Shape.HeadCount,
        Offsets = (int*)Address(_offsets),
        Columns = (int*)Address(_columns),
        PartialNumbers = _partialNumbers is null ? null : (int*)Address(_partialNumbers),
        PartialBits = (ulong*)Address(_partialBits),
        WordsPerBlock = Shape.WordsPerBlock,
    };

    private static T[] Pinned<T>(T[] source) where T : unmanaged
    {
        T[] copy = GC.AllocateUninitializedArray<T>(source.Length, pinned: true);
        source.CopyTo(copy, 0);
        return copy;
    }

    private static nint Address<T>(T[] pinned) where T : unmanaged => Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}

/// <summary>The sizes of a <see cref="BlockMask"/>.</summary>
/// <param name="QueryCount">M.</param>
/// <param name="KeyCount">N.</param>
/// <param name="BlockRows">R, the queries of a block; any number from 1 on. The last block may reach beyond M.</param>
/// <param name="BlockColumns">C, the keys of a block; any number from 1 on.</param>
/// <param name="HeadCount">The number of block matrices: 1, or a divisor of the query heads, each then serving equally many of them.</param>
public readonly record struct BlockMaskShape(int QueryCount, int KeyCount, int BlockRows = 64, int BlockColumns = 64, int HeadCount = 1)
{
    /// <summary>The number of rows of blocks of one head.</summary>
    public int RowBlockCount => (int)(((long)QueryCount + BlockRows - 1) / BlockRows);

    /// <summary>The number of columns of blocks.</summary>
    public int ColumnBlockCount => (int)(((long)KeyCount + BlockColumns - 1) / BlockColumns);

    internal int WordsPerBlock => (int)(((long)BlockRows * BlockColumns + BlockMask.BitsPerWord - 1) / BlockMask.BitsPerWord);

    internal void Check(string name)
    {
        if (QueryCount < 0 || KeyCount < 0 || BlockRows < 1 || BlockColumns < 1 || HeadCount < 1)
            throw new ArgumentOutOfRangeException(name, this, "counts from 0 on, blocks of at least 1 by 1 and at least one head are needed");
        if ((long)BlockRows * BlockColumns > int.MaxValue || (long)HeadCount * RowBlockCount >= int.MaxValue)
            throw new ArgumentOutOfRangeException(name, this, "a block's pairs and the rows of blocks must be countable in 31 bits");
    }
}
