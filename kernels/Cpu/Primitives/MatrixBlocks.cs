namespace Kernels.Cpu.Primitives;

/// <summary>
/// The blocking of a dense product, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008). A piece of work is some slivers of
/// B's columns by some of A's rows: its slivers, packed, stay in level 2 while blocks of rows pass, and one of them near level 1 while a block's tiles do. No
/// size shows in a bit of the result.
/// </summary>
/// <param name="Depth">Terms added before the next block of slivers is packed.</param>
/// <param name="Rows">Rows that pass a sliver at a time.</param>
/// <param name="Slivers">Slivers of a piece of work.</param>
/// <param name="SliverBlocks">Pieces side by side.</param>
/// <param name="ItemRows">Rows of a piece.</param>
/// <param name="RowItems">Pieces one below another.</param>
internal readonly record struct MatrixBlocks(int Depth, int Rows, int Slivers, int SliverBlocks, int ItemRows, int RowItems)
{
    // A sliver may exceed level 1: each step of a tile then takes a register's worth of it from level 2 in six cycles or more, which costs less than a further
    // pass over C.
    private const double SliverShare = 1.5;

    // What a block of rows and a piece's slivers take of level 2 each: the rest is for what passes by.
    private const double Level2Share = 0.25;

    // Pieces for each thread, so that one which comes late, or is slower, does fewer.
    private const int ItemsPerThread = 4;

    /// <summary>Multiply-adds that take about as long as one channel's step, for the number of threads.</summary>
    public const int OperationsPerElement = 32;

    public int ItemCount => SliverBlocks * RowItems;

    public static MatrixBlocks Of(int rows, int columns, int inner, int tileRows, int tileColumns, int elementBytes, int threads)
    {
        MachineInfo machine = MachineInfo.Current;
        int mostDepth = Math.Max(1, (int)(SliverShare * machine.Level1DataBytes / (tileColumns * elementBytes)));
        int depth = Even(inner, mostDepth), share = (int)(Level2Share * machine.Level2Bytes / (Math.Max(1, depth) * elementBytes));
        int slivers = (columns + tileColumns - 1) / tileColumns, items = threads == 1 ? 1 : threads * ItemsPerThread;
        int sliverCount = Even(slivers, Math.Max(1, Math.Min(share / tileColumns, slivers / items))), sliverBlocks = (slivers + sliverCount - 1) / sliverCount;
        // Rows are cut only where there are too few columns.
        int tiles = (rows + tileRows - 1) / tileRows, itemRows = Even(tiles, Math.Max(1, tiles / Math.Max(1, items / sliverBlocks))) * tileRows;
        // No more rows than there are: scratch for a tile at the edge grows with them, and level 2 holds very many short ones.
        int blockRows = Math.Min(Math.Max(1, share / tileRows) * tileRows, itemRows);
        return new(depth, blockRows, sliverCount, sliverBlocks, itemRows, (rows + itemRows - 1) / itemRows);
    }

    // Cuts a count into equal parts none of which exceeds the most.
    private static int Even(int count, int most)
    {
        int parts = Math.Max(1, (count + most - 1) / most);
        return Math.Max(1, (count + parts - 1) / parts);
    }
}
