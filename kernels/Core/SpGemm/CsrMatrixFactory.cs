using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.SpGemm;

namespace Kernels;

/// <summary>Makes sparse matrices. Every argument is checked; bad ones throw an exception that names the parameter and the value.</summary>
public static class CsrMatrix
{
    /// <summary>Wraps arrays of compressed rows without copying them. They must not change while the matrix is in use.</summary>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    /// <param name="rowPointers">Where each row begins and the last one ends: rowCount + 1 numbers from 0 on that do not fall.</param>
    /// <param name="columns">The column of each entry, 0 to columnCount - 1, in any order within a row; may be longer than the entries.</param>
    /// <param name="values">The value of each entry; may be longer than the entries.</param>
    /// <exception cref="ArgumentException">Pointers that do not begin at 0, fall, or point beyond the arrays; a column out of range.</exception>
    public static CsrMatrix<T> Wrap<T>(int rowCount, int columnCount, long[] rowPointers, int[] columns, T[] values) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(rowPointers);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(values);
        CsrChecks.Size(rowCount, nameof(rowCount));
        CsrChecks.Size(columnCount, nameof(columnCount));
        CsrChecks.Pointers(rowPointers, rowCount, columns.Length, values.Length, nameof(rowPointers));
        CsrChecks.Indices(columns.AsSpan(0, (int)rowPointers[^1]), columnCount, nameof(columns));
        (bool isSorted, bool hasDuplicates) = CsrLayout.Order(rowPointers, columns);
        return new(rowCount, columnCount, rowPointers, columns, values, isSorted, hasDuplicates);
    }

    /// <summary>Copies compressed rows with 32-bit pointers; otherwise as <see cref="Wrap"/>.</summary>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    /// <param name="rowPointers">rowCount + 1 pointers.</param>
    /// <param name="columns">The column of each entry.</param>
    /// <param name="values">The value of each entry.</param>
    public static CsrMatrix<T> FromCsr<T>(int rowCount, int columnCount, ReadOnlySpan<int> rowPointers, ReadOnlySpan<int> columns, ReadOnlySpan<T> values)
        where T : unmanaged, IEquatable<T>
    {
        var pointers = new long[rowPointers.Length];
        for (int i = 0; i < pointers.Length; i++)
            pointers[i] = rowPointers[i];
        return Wrap(rowCount, columnCount, pointers, columns.ToArray(), values.ToArray());
    }

    /// <summary>A matrix from compressed columns: those of column c are at columnPointers[c] to columnPointers[c + 1].</summary>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    /// <param name="columnPointers">columnCount + 1 numbers from 0 on that do not fall.</param>
    /// <param name="rows">The row of each entry.</param>
    /// <param name="values">The value of each entry.</param>
    public static CsrMatrix<T> FromCsc<T>(int rowCount, int columnCount, ReadOnlySpan<long> columnPointers, ReadOnlySpan<int> rows, ReadOnlySpan<T> values)
        where T : unmanaged, IEquatable<T>
    {
        CsrChecks.Size(rowCount, nameof(rowCount));
        CsrChecks.Size(columnCount, nameof(columnCount));
        CsrChecks.Pointers(columnPointers, columnCount, rows.Length, values.Length, nameof(columnPointers));
        CsrChecks.Indices(rows[..(int)columnPointers[^1]], rowCount, nameof(rows));
        (bool isSorted, bool hasDuplicates) = CsrLayout.Order(columnPointers, rows);
        return new CsrMatrix<T>(columnCount, rowCount, columnPointers.ToArray(), rows.ToArray(), values.ToArray(), isSorted, hasDuplicates).Transpose();
    }

    /// <summary>A matrix from coordinates in any order, duplicates added or refused or kept. Rows come out sorted.</summary>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    /// <param name="rows">The row of each entry, 0 to rowCount - 1.</param>
    /// <param name="columns">The column of each entry, 0 to columnCount - 1.</param>
    /// <param name="values">The value of each entry.</param>
    /// <param name="duplicates">What becomes of several entries at one place.</param>
    /// <exception cref="ArgumentException">An index is out of range, the lengths differ, or there are duplicates that are to be refused.</exception>
    public static CsrMatrix<T> FromCoo<T>(
        int rowCount, int columnCount, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values,
        DuplicateEntries duplicates = DuplicateEntries.Sum)
        where T : unmanaged, INumberBase<T> =>
        FromCoo<T, PlusTimes<T>>(rowCount, columnCount, rows, columns, values, duplicates);

    /// <summary>As <see cref="FromCoo{T}"/>, with duplicates added by a semiring's addition: for <see cref="bool"/>, <see cref="OrAnd"/>.</summary>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    /// <param name="rows">The row of each entry.</param>
    /// <param name="columns">The column of each entry.</param>
    /// <param name="values">The value of each entry.</param>
    /// <param name="duplicates">What becomes of several entries at one place.</param>
    public static CsrMatrix<T> FromCoo<T, TSemiring>(
        int rowCount, int columnCount, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns, ReadOnlySpan<T> values,
        DuplicateEntries duplicates = DuplicateEntries.Sum)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        Check.Defined(duplicates, nameof(duplicates));
        CsrChecks.Size(rowCount, nameof(rowCount));
        CsrChecks.Size(columnCount, nameof(columnCount));
        Check.Exactly(columns.Length, rows.Length, nameof(columns));
        Check.Exactly(values.Length, rows.Length, nameof(values));
        CsrChecks.Indices(rows, rowCount, nameof(rows));
        CsrChecks.Indices(columns, columnCount, nameof(columns));
        CsrMatrix<T> matrix = CsrCoordinates.Compress(rowCount, columnCount, rows, columns, values).Sort();
        (_, bool hasDuplicates) = CsrLayout.Order(matrix.RowPointers, matrix.Columns);
        if (hasDuplicates && duplicates == DuplicateEntries.Refuse)
            throw new ArgumentException(CsrCoordinates.FirstDuplicate(matrix), nameof(columns));
        return hasDuplicates && duplicates == DuplicateEntries.Sum
            ? CsrLayout.MergeDuplicates<T, TSemiring>(matrix)
            : new(rowCount, columnCount, matrix.RowPointerArray, matrix.ColumnArray, matrix.ValueArray, isSorted: true, hasDuplicates);
    }

    /// <summary>A square matrix with these values on its diagonal.</summary>
    /// <param name="diagonal">As many as there are rows; zeros become explicit zeros.</param>
    public static CsrMatrix<T> Diagonal<T>(ReadOnlySpan<T> diagonal) where T : unmanaged, IEquatable<T>
    {
        CsrChecks.Size(diagonal.Length, nameof(diagonal));
        var pointers = new long[diagonal.Length + 1];
        var columns = new int[diagonal.Length];
        for (int i = 0; i < columns.Length; i++)
            (pointers[i + 1], columns[i]) = (i + 1, i);
        return new(diagonal.Length, diagonal.Length, pointers, columns, diagonal.ToArray(), isSorted: true, hasDuplicates: false);
    }

    /// <summary>The entries of a dense matrix that are not zero.</summary>
    /// <param name="dense">[rowCount, columnCount], row-major.</param>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="columnCount">The number of columns.</param>
    public static CsrMatrix<T> FromDense<T>(ReadOnlySpan<T> dense, int rowCount, int columnCount) where T : unmanaged, IEquatable<T>
    {
        CsrChecks.Size(rowCount, nameof(rowCount));
        CsrChecks.Size(columnCount, nameof(columnCount));
        Check.Exactly(dense.Length, (long)rowCount * columnCount, nameof(dense));
        var pointers = new long[rowCount + 1];
        List<int> columns = [];
        List<T> values = [];
        for (int i = 0; i < dense.Length; i++)
        {
            if (!dense[i].Equals(default))
            {
                columns.Add(i % columnCount);
                values.Add(dense[i]);
                pointers[i / columnCount + 1]++;
            }
        }
        for (int row = 0; row < rowCount; row++)
            pointers[row + 1] += pointers[row];
        return new(rowCount, columnCount, pointers, [.. columns], [.. values], isSorted: true, hasDuplicates: false);
    }
}
