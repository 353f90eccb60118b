namespace Kernels.Core.SpGemm;

/// <summary>Rearrangements of entries that read values but compute nothing, except where duplicates are added.</summary>
internal static class CsrLayout
{
    /// <summary>The pointers of a view, counted from 0.</summary>
    public static long[] FromZero(ReadOnlySpan<long> pointers)
    {
        var result = new long[pointers.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = pointers[i] - pointers[0];
        return result;
    }

    /// <summary>Counting sort by column, stable: the rows of the result are sorted, and duplicates keep their order.</summary>
    public static CsrMatrix<T> Transpose<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T>
    {
        var pointers = new long[matrix.ColumnCount + 1];
        foreach (int column in matrix.Columns)
            pointers[column + 1]++;
        for (int i = 0; i < matrix.ColumnCount; i++)
            pointers[i + 1] += pointers[i];
        int count = (int)matrix.EntryCount;
        var columns = GC.AllocateUninitializedArray<int>(count);
        var values = GC.AllocateUninitializedArray<T>(count);
        long[] next = [.. pointers.AsSpan(0, matrix.ColumnCount)];
        for (int row = 0; row < matrix.RowCount; row++)
        {
            ReadOnlySpan<int> rowColumns = matrix.RowColumns(row);
            ReadOnlySpan<T> rowValues = matrix.RowValues(row);
            for (int i = 0; i < rowColumns.Length; i++)
            {
                long place = next[rowColumns[i]]++;
                columns[place] = row;
                values[place] = rowValues[i];
            }
        }
        return new(matrix.ColumnCount, matrix.RowCount, pointers, columns, values, isSorted: true, matrix.HasDuplicates);
    }

    /// <summary>Sorts each row by column and, of equal columns, by place: stable, and without memory for columns.</summary>
    public static CsrMatrix<T> SortRows<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T>
    {
        long[] pointers = FromZero(matrix.RowPointers);
        int[] columns = matrix.Columns.ToArray();
        T[] values = matrix.Values.ToArray();
        ulong[] keys = [];
        for (int row = 0; row < matrix.RowCount; row++)
        {
            ReadOnlySpan<int> rowColumns = matrix.RowColumns(row);
            ReadOnlySpan<T> rowValues = matrix.RowValues(row);
            if (keys.Length < rowColumns.Length)
                keys = new ulong[Math.Max(2 * keys.Length, rowColumns.Length)];
            for (int i = 0; i < rowColumns.Length; i++)
                keys[i] = ((ulong)rowColumns[i] << 32) | (uint)i;
            keys.AsSpan(0, rowColumns.Length).Sort();
            for (int i = 0; i < rowColumns.Length; i++)
            {
                columns[pointers[row] + i] = (int)(keys[i] >> 32);
                values[pointers[row] + i] = rowValues[(int)(uint)keys[i]];
            }
        }
        (_, bool hasDuplicates) = Order(pointers, columns);
        return new(matrix.RowCount, matrix.ColumnCount, pointers, columns, values, isSorted: true, hasDuplicates);
    }

    /// <summary>Neighbours of one column are added; of a sorted matrix.</summary>
    public static CsrMatrix<T> MergeDuplicates<T, TSemiring>(CsrMatrix<T> sorted) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        var pointers = new long[sorted.RowCount + 1];
        int[] columns = sorted.Columns.ToArray();
        T[] values = sorted.Values.ToArray();
        int count = 0;
        for (int row = 0; row < sorted.RowCount; row++)
        {
            int first = count, end = (int)(sorted.RowPointers[row + 1] - sorted.RowPointers[0]);
            for (int i = (int)(sorted.RowPointers[row] - sorted.RowPointers[0]); i < end; i++)
            {
                if (count > first && columns[count - 1] == columns[i])
                    values[count - 1] = TSemiring.Add(values[count - 1], values[i]);
                else
                    (columns[count], values[count++]) = (columns[i], values[i]);
            }
            pointers[row + 1] = count;
        }
        return Shrunk(sorted.RowCount, sorted.ColumnCount, pointers, columns, values, isSorted: true, hasDuplicates: false);
    }

    public static CsrMatrix<T> Select<T>(CsrMatrix<T> matrix, Func<int, int, T, bool> keep) where T : unmanaged, IEquatable<T>
    {
        var pointers = new long[matrix.RowCount + 1];
        var columns = new int[matrix.EntryCount];
        var values = new T[matrix.EntryCount];
        int count = 0;
        for (int row = 0; row < matrix.RowCount; row++)
        {
            ReadOnlySpan<int> rowColumns = matrix.RowColumns(row);
            ReadOnlySpan<T> rowValues = matrix.RowValues(row);
            for (int i = 0; i < rowColumns.Length; i++)
            {
                if (keep(row, rowColumns[i], rowValues[i]))
                    (columns[count], values[count++]) = (rowColumns[i], rowValues[i]);
            }
            pointers[row + 1] = count;
        }
        return Shrunk(matrix.RowCount, matrix.ColumnCount, pointers, columns, values, matrix.IsSorted, matrix.HasDuplicates);
    }

    /// <summary>Whether rows are sorted, and whether neighbours are equal, in one pass. Duplicates of unsorted rows count as possible.</summary>
    public static (bool IsSorted, bool HasDuplicates) Order(ReadOnlySpan<long> pointers, ReadOnlySpan<int> columns)
    {
        bool hasDuplicates = false;
        for (int row = 0; row + 1 < pointers.Length; row++)
        {
            ReadOnlySpan<int> own = columns[(int)pointers[row]..(int)pointers[row + 1]];
            for (int i = 1; i < own.Length; i++)
            {
                if (own[i] < own[i - 1])
                    return (false, true);
                hasDuplicates |= own[i] == own[i - 1];
            }
        }
        return (true, hasDuplicates);
    }

    private static CsrMatrix<T> Shrunk<T>(int rows, int columnCount, long[] pointers, int[] columns, T[] values, bool isSorted, bool hasDuplicates)
        where T : unmanaged, IEquatable<T>
    {
        int count = (int)pointers[^1];
        if (count < columns.Length)
            (columns, values) = (columns[..count], values[..count]);
        return new(rows, columnCount, pointers, columns, values, isSorted, hasDuplicates);
    }
}
