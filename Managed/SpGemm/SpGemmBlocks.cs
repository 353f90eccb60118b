using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Managed;

/// <summary>Products by blocks of rows, cut where the bound of their entries reaches the limit.</summary>
internal static class SpGemmBlocks
{
    public static IEnumerable<(int FirstRow, CsrMatrix<T> Rows)> Multiply<T>(CsrMatrix<T> left, CsrMatrix<T> right, SpGemmOptions<T> options)
        where T : unmanaged, INumberBase<T>
    {
        using var own = options.Workspace is null ? new SpGemmWorkspace() : null;
        SpGemmOptions<T> within = options with { Workspace = options.Workspace ?? own };
        long mostEntries = options.MaxResultBytes / (sizeof(int) + Unsafe.SizeOf<T>());
        for (int first = 0; first < left.RowCount;)
        {
            int count = RowsWithin(left, right, first, mostEntries);
            yield return (first, SpGemm.Multiply(left.Rows(first, count), right, within));
            first += count;
        }
    }

    // As many rows as certainly fit, and at least one.
    private static int RowsWithin<T>(CsrMatrix<T> left, CsrMatrix<T> right, int first, long mostEntries) where T : unmanaged, IEquatable<T>
    {
        long bound = 0;
        int row = first;
        for (; row < left.RowCount; row++)
        {
            long products = 0;
            foreach (int k in left.RowColumns(row))
                products += right.RowPointers[k + 1] - right.RowPointers[k];
            bound += Math.Min(products, right.ColumnCount);
            if (bound > mostEntries && row > first)
                break;
        }
        return row - first;
    }
}
