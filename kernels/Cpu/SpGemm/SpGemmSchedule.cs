using System.Runtime.CompilerServices;
using Kernels.Core.SpGemm;

namespace Kernels.Cpu.SpGemm;

/// <summary>The product cut into tiles, and the sizes that follow from it.</summary>
internal unsafe struct SpGemmSchedule<T> where T : unmanaged
{
    public SpGemmTile* Tiles;

    /// <summary>One more than there are tiles.</summary>
    public long* Starts;

    public long TileCount;

    /// <summary>Multiplications, exactly.</summary>
    public long Products;

    /// <summary>The most entries: of all, of a tile, of a row; and the most columns that a table holds for a row.</summary>
    public long Bound, TileBound, RowBound, RowSlots;

    private readonly long _windowEntries;

    /// <param name="operands">The operands.</param>
    /// <param name="products">Those of row r at r + 1.</param>
    /// <param name="workspace">Holds the tiles until the next schedule.</param>
    /// <param name="canStripe">Whether long rows may be cut into stripes of columns.</param>
    /// <exception cref="OverflowException">There are 2^63 products or more.</exception>
    public SpGemmSchedule(in SpGemmOperands<T> operands, long* products, SpGemmWorkspace workspace, bool canStripe = true)
    {
        _windowEntries = SpGemmTuning.WindowEntries(sizeof(T));
        for (int row = 0; row < operands.Left.RowCount; row++)
        {
            Products = checked(Products + products[row + 1]);
            Bound += BoundOf(operands, row, products[row + 1]);
        }
        long most = MostTiles();
        byte* memory = workspace.RentTable(most * sizeof(SpGemmTile) + (most + 1) * sizeof(long));
        Tiles = (SpGemmTile*)memory;
        Starts = (long*)(memory + most * sizeof(SpGemmTile));
        Cut(operands, products, canStripe && IsSorted(operands));
    }

    /// <summary>The most entries of a row: one for each product and addend, and no more than the mask or the columns allow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long BoundOf(in SpGemmOperands<T> operands, int row, long products)
    {
        if (!operands.Mask.IsPresent && !operands.Addend.IsPresent)
            return Math.Min(products, operands.Right.ColumnCount);
        long bound = Math.Min(products + (operands.Addend.IsPresent ? operands.Addend.Length(row) : 0), operands.Right.ColumnCount);
        return operands.Mask.IsPresent && !operands.MaskIsComplement ? Math.Min(bound, operands.Mask.Length(row)) : bound;
    }

    // Two neighbouring windows together exceed one of the two limits; a long row ends a window early, and has a stripe for each tile's worth of products.
    private readonly long MostTiles() =>
        2 * (Products / SpGemmTuning.TileProducts + Bound / _windowEntries) + 3 * (Products / SpGemmTuning.TileProducts) + 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Cut(in SpGemmOperands<T> operands, long* products, bool canStripe)
    {
        int columnCount = operands.Right.ColumnCount, begin = 0;
        long windowBound = 0, windowProducts = 0;
        for (int row = 0; row < operands.Left.RowCount; row++)
        {
            long own = products[row + 1], bound = BoundOf(operands, row, own);
            long stripes = canStripe && own >= SpGemmTuning.StripedRowProducts ? StripesOf(own, operands.Left.Length(row), columnCount) : 1;
            RowSlots = Math.Max(RowSlots, SlotsOf(operands, row, own));
            if (stripes > 1 || (row > begin && (windowBound + bound > _windowEntries || windowProducts + own > SpGemmTuning.TileProducts)))
            {
                Add(begin, row, new ColumnRange(0, columnCount), windowBound);
                (begin, windowBound, windowProducts) = (row, 0, 0);
            }
            RowBound = Math.Max(RowBound, stripes > 1 ? (columnCount + stripes - 1) / stripes : bound);
            if (stripes > 1)
            {
                AddStripes(row, columnCount, stripes, bound);
                begin = row + 1;
                continue;
            }
            windowBound += bound;
            windowProducts += own;
        }
        Add(begin, operands.Left.RowCount, new ColumnRange(0, columnCount), windowBound);
    }

    /// <summary>The most columns that a table holds for a row: a structural mask's alone, or those of products, addend and complemented mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long SlotsOf(in SpGemmOperands<T> operands, int row, long products)
    {
        if (!operands.Mask.IsPresent && !operands.Addend.IsPresent)
            return Math.Min(products, operands.Right.ColumnCount);
        long mask = operands.Mask.IsPresent ? operands.Mask.Length(row) : 0;
        if (operands.Mask.IsPresent && !operands.MaskIsComplement)
            return mask;
        return Math.Min(operands.Right.ColumnCount, products + mask + (operands.Addend.IsPresent ? operands.Addend.Length(row) : 0));
    }

    private static bool IsSorted(in SpGemmOperands<T> operands) =>
        operands.Right.IsSorted && (!operands.Mask.IsPresent || operands.Mask.IsSorted) && (!operands.Addend.IsPresent || operands.Addend.IsSorted);

    private static long StripesOf(long products, long leftLength, int columnCount) =>
        Math.Clamp(Math.Min(products / SpGemmTuning.TileProducts, products / (leftLength * SpGemmTuning.StripeProductsPerEntry)), 1, Math.Max(1, columnCount));

    private void AddStripes(int row, int columnCount, long stripes, long bound)
    {
        long width = (columnCount + stripes - 1) / stripes;
        for (long first = 0; first < columnCount; first += width)
        {
            int end = (int)Math.Min(first + width, columnCount);
            Add(row, row + 1, new ColumnRange((int)first, end), Math.Min(bound, end - first));
        }
    }

    private void Add(int begin, int end, ColumnRange range, long bound)
    {
        if (begin == end)
            return;
        Tiles[TileCount++] = new SpGemmTile(begin, end, range, bound);
        TileBound = Math.Max(TileBound, bound);
    }
}
