namespace Kernels.Core.SpGemm;

/// <summary>From coordinates, which were checked, to compressed rows.</summary>
internal static class CsrCoordinates
{
    /// <summary>Counting sort by row, stable; rows are as sorted as the coordinates were.</summary>
    public static CsrMatrix<T> Compress<T>(int rowCount, int columnCount, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values)
        where T : unmanaged, IEquatable<T>
    {
        var pointers = new long[rowCount + 1];
        foreach (int row in rows)
            pointers[row + 1]++;
        for (int i = 0; i < rowCount; i++)
            pointers[i + 1] += pointers[i];
        var sortedColumns = GC.AllocateUninitializedArray<int>(rows.Length);
        var sortedValues = GC.AllocateUninitializedArray<T>(rows.Length);
        // Each row's pointer runs through the row and ends where the next one begins; then all move up by one.
        for (int i = 0; i < rows.Length; i++)
        {
            long place = pointers[rows[i]]++;
            sortedColumns[place] = columns[i];
            sortedValues[place] = values[i];
        }
        pointers.AsSpan(0, rowCount).CopyTo(pointers.AsSpan(1));
        pointers[0] = 0;
        (bool isSorted, bool hasDuplicates) = CsrLayout.Order(pointers, sortedColumns);
        return new(rowCount, columnCount, pointers, sortedColumns, sortedValues, isSorted, hasDuplicates);
    }

    public static string FirstDuplicate<T>(CsrMatrix<T> sorted) where T : unmanaged, IEquatable<T>
    {
        for (int row = 0; row < sorted.RowCount; row++)
        {
            ReadOnlySpan<int> columns = sorted.RowColumns(row);
            for (int i = 1; i < columns.Length; i++)
            {
                if (columns[i] == columns[i - 1])
                    return $"row {row}, column {columns[i]} has more than one entry";
            }
        }
        return "a place has more than one entry";
    }
}
