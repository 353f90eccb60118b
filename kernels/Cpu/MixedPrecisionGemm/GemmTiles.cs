using System.Runtime.CompilerServices;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>A number of rows as a type: a tile is compiled for each number, without the code of rows that it does not have.</summary>
internal interface ITileRows
{
    static abstract int Count { get; }
}

/// <summary>Work on some columns of a segment that can be done for a few rows at a time.</summary>
internal interface IGemmTile
{
    /// <summary>Does the rows [row, row + TRows.Count).</summary>
    void Add<TRows>(int row) where TRows : struct, ITileRows;
}

/// <summary>Cuts a batch into tiles of 1 to 6 rows.</summary>
internal static class GemmTiles
{
    /// <summary>The most rows of a tile that any register file has room for.</summary>
    public const int LargestRowCount = 6;

    /// <summary>
    /// Runs the fewest tiles of at most <paramref name="mostRows"/> rows, which then differ by one row at most: 16 rows in tiles of at most 5 are 4 times 4,
    /// and none of 1.
    /// </summary>
    public static void Run<TTile>(ref TTile tile, int rowCount, int mostRows) where TTile : struct, IGemmTile
    {
        int tileCount = (rowCount + mostRows - 1) / mostRows;
        for (int i = 0, row = 0; i < tileCount; i++)
        {
            int end = rowCount * (i + 1) / tileCount;
            Add(ref tile, row, end - row);
            row = end;
        }
    }

    private static void Add<TTile>(ref TTile tile, int row, int count) where TTile : struct, IGemmTile
    {
        switch (count)
        {
            case 1: tile.Add<Rows1>(row); break;
            case 2: tile.Add<Rows2>(row); break;
            case 3: tile.Add<Rows3>(row); break;
            case 4: tile.Add<Rows4>(row); break;
            case 5: tile.Add<Rows5>(row); break;
            default: tile.Add<Rows6>(row); break;
        }
    }

    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly struct Rows1 : ITileRows { public static int Count { [MethodImpl(Inline)] get => 1; } }

    private readonly struct Rows2 : ITileRows { public static int Count { [MethodImpl(Inline)] get => 2; } }

    private readonly struct Rows3 : ITileRows { public static int Count { [MethodImpl(Inline)] get => 3; } }

    private readonly struct Rows4 : ITileRows { public static int Count { [MethodImpl(Inline)] get => 4; } }

    private readonly struct Rows5 : ITileRows { public static int Count { [MethodImpl(Inline)] get => 5; } }

    private readonly struct Rows6 : ITileRows { public static int Count { [MethodImpl(Inline)] get => LargestRowCount; } }
}
