namespace Kernels.Core.SpGemm;

/// <summary>From the entries of a file to compressed rows.</summary>
internal static class MatrixMarketLayout
{
    /// <summary>Values column by column; zeros are not stored.</summary>
    public static CsrMatrix<T> FromArray<T>(in MatrixMarketHeader header, T[] values, string file, long sizesLine) where T : unmanaged, IEquatable<T>
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
        return FromCoordinates<T>(header, [.. rows], [.. columns], [.. kept], file, sizesLine);
    }

    /// <summary>Rows come out sorted, duplicates side by side.</summary>
    /// <exception cref="TensorFileException">With mirror images, there are more entries than an array holds.</exception>
    public static CsrMatrix<T> FromCoordinates<T>(in MatrixMarketHeader header, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values,
        string file, long sizesLine)
        where T : unmanaged, IEquatable<T>
    {
        CsrMatrix<T> matrix = header.Symmetry == MatrixMarketSymmetry.General
            ? CsrCoordinates.Compress(header.RowCount, header.ColumnCount, rows, columns, values)
            : Mirrored(header, rows, columns, values, file, sizesLine);
        return matrix.Sort();
    }

    /// <summary>The first entry of a file at a place that has one already.</summary>
    /// <param name="rows">By entry, in the order of the file.</param>
    /// <param name="columns">By entry.</param>
    /// <param name="lines">The number of the line of each entry.</param>
    /// <param name="file">For the message.</param>
    public static TensorFileException FirstDuplicate(ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<long> lines, string file)
    {
        var seen = new Dictionary<(int, int), long>();
        for (int i = 0; i < rows.Length; i++)
        {
            if (!seen.TryAdd((rows[i], columns[i]), lines[i]))
                return new(file, lines[i], $"({rows[i] + 1}, {columns[i] + 1}) has an entry already, on line {seen[(rows[i], columns[i])]}");
        }
        throw new InvalidOperationException("there is no duplicate");
    }

    // The mirror images come last: where a file is sorted by columns, each row is then sorted, too.
    private static CsrMatrix<T> Mirrored<T>(in MatrixMarketHeader header, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values,
        string file, long sizesLine)
        where T : unmanaged, IEquatable<T>
    {
        int count = rows.Length;
        long total = count;
        for (int i = 0; i < count; i++)
            total += rows[i] == columns[i] ? 0 : 1;
        if (total > Array.MaxLength)
            throw new TensorFileException(file, sizesLine, $"with their mirror images there are {total} entries, more than an array holds ({Array.MaxLength})");
        int room = (int)total;
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
