namespace Kernels;

/// <summary>
/// Which entries a product may have: those where a matrix has an entry, or, complemented, those where it has none. Shares the matrix's arrays.
/// </summary>
public sealed class SpGemmMask
{
    private SpGemmMask(int rowCount, int columnCount, long[] rowPointers, int firstRow, int[] columns, bool isSorted, bool isComplement)
    {
        (RowCount, ColumnCount, RowPointers, FirstRow, Columns, IsSorted, IsComplement) =
            (rowCount, columnCount, rowPointers, firstRow, columns, isSorted, isComplement);
    }

    /// <summary>Every entry of the matrix counts, explicit zeros included (structural mask). Nothing is copied.</summary>
    /// <param name="matrix">Of the product's shape, in any order.</param>
    public static SpGemmMask Of<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        matrix.OwnsArrays = false;
        return new(matrix.RowCount, matrix.ColumnCount, matrix.RowPointerArray, matrix.FirstRow, matrix.ColumnArray, matrix.IsSorted, isComplement: false);
    }

    /// <summary>Only entries that are not zero count (valued mask). Their pattern is copied.</summary>
    /// <param name="matrix">Of the product's shape, in any order.</param>
    public static SpGemmMask OfValues<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Of(matrix.Select((_, _, value) => !value.Equals(default)));
    }

    /// <summary>The mask that lets through what this one does not.</summary>
    public SpGemmMask Complement() => new(RowCount, ColumnCount, RowPointers, FirstRow, Columns, IsSorted, !IsComplement);

    internal int RowCount { get; }

    internal int ColumnCount { get; }

    internal long[] RowPointers { get; }

    internal int FirstRow { get; }

    internal int[] Columns { get; }

    internal bool IsSorted { get; }

    internal bool IsComplement { get; }
}
