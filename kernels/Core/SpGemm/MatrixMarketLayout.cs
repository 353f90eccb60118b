namespace Kernels;

/// <summary>From the entries of a file to compressed rows.</summary>
internal static class MatrixMarketLayout
{
    /// <summary>Values column by column; zeros are not stored.</summary>
    public static CsrMatrix<T> FromArray<T>(in MatrixMarketHeader header, T[] values) where T : unmanaged, IEquatable<T>
    {
        List<int> rows = [], columns = [];
        List<T> kept = [];
        int next = 0, skipped = header.Symmetry == MatrixMarketSymmetry.SkewSymmetric ? 1 : 0;
        for (int column = 0; column < header.ColumnCount; column++)
        {
            for (int row = header.Symmetry == MatrixMarketSymmetry.General ? 0 : column + skipped; row < header.RowCount; row++)
            {
                T value = values[next++];
                if (value.Equals(default))
                    continue;
                rows.Add(row);
                columns.Add(column);
                kept.Add(value);
            }
        }
        return FromCoordinates(header, [.. rows], [.. columns], kept.ToArray(), DuplicateEntries.Keep, "");
    }

    public static CsrMatrix<T> FromCoordinates<T>(in MatrixMarketHeader header, Span<int> rows, Span<int> columns, Span<T> values, DuplicateEntries duplicates, string file)
        where T : unmanaged, IEquatable<T>
    {
        CsrMatrix<T> matrix = header.Symmetry == MatrixMarketSymmetry.General
            ? CsrCoordinates.Compress<T>(header.RowCount, header.ColumnCount, rows, columns, values).Sort()
            : Mirrored(header, rows, columns, values).Sort();
        (_, bool hasDuplicates) = CsrLayout.Order(matrix.RowPointers, matrix.Columns);
        if (hasDuplicates && duplicates == DuplicateEntries.Refuse)
            throw new KernelFormatException(file, 1, CsrCoordinates.FirstDuplicate(matrix));
        return hasDuplicates && duplicates == DuplicateEntries.Sum
            ? CsrLayout.MergeDuplicates<T, EntrySum<T>>(matrix)
            : new(matrix.RowCount, matrix.ColumnCount, matrix.RowPointerArray, matrix.ColumnArray, matrix.ValueArray, isSorted: true, hasDuplicates);
    }

    // The mirror images come last: where a file is sorted by columns, each row is then sorted, too.
    private static CsrMatrix<T> Mirrored<T>(in MatrixMarketHeader header, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values) where T : unmanaged, IEquatable<T>
    {
        int count = rows.Length;
        long total = count;
        for (int i = 0; i < count; i++)
            total += rows[i] == columns[i] ? 0 : 1;
        int room = CsrChecks.ArrayLength(total);
        (int[] allRows, int[] allColumns, T[] allValues) = (new int[room], new int[room], new T[room]);
        rows.CopyTo(allRows);
        columns.CopyTo(allColumns);
        values.CopyTo(allValues);
        for (int i = 0, place = count; i < count; i++)
        {
            if (rows[i] != columns[i])
                (allRows[place], allColumns[place], allValues[place++]) = (columns[i], rows[i], MatrixMarketValue.Mirror(values[i], header.Symmetry));
        }
        return CsrCoordinates.Compress<T>(header.RowCount, header.ColumnCount, allRows, allColumns, allValues);
    }
}
