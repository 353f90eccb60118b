namespace Kernels.Core.SpGemm;

/// <summary>Compressed rows as pointers into pinned arrays, for jobs; pointers are absolute, so a view of rows needs no copy.</summary>
internal unsafe struct CsrRows<T> where T : unmanaged
{
    public int RowCount, ColumnCount;
    public bool IsSorted, HasDuplicates;

    /// <summary>RowCount + 1 of them; null if there is no such matrix.</summary>
    public long* RowPointers;

    public int* Columns;
    public T* Values;

    public readonly bool IsPresent => RowPointers != null;

    /// <summary>The number of entries of a row.</summary>
    public readonly long Length(int row) => RowPointers[row + 1] - RowPointers[row];
}

/// <summary>Everything that a product reads.</summary>
internal struct SpGemmOperands<T> where T : unmanaged
{
    public CsrRows<T> Left, Right;

    /// <summary>What sums start with; may be absent.</summary>
    public CsrRows<T> Addend;

    /// <summary>May be absent.</summary>
    public CsrRows<NoValue> Mask;

    public bool MaskIsComplement, IsUnsorted, DropsZeros;
}
