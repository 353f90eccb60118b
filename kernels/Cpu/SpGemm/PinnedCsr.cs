using System.Runtime.InteropServices;
using Kernels.Core.SpGemm;

namespace Kernels.Cpu.SpGemm;

/// <summary>A matrix whose arrays stay where they are until this is disposed.</summary>
internal readonly unsafe struct PinnedCsr<T> : IDisposable where T : unmanaged
{
    private readonly PinnedGCHandle<long[]> _pointers;
    private readonly PinnedGCHandle<int[]> _columns;
    private readonly PinnedGCHandle<T[]> _values;

    public PinnedCsr(long[] pointers, int firstRow, int rowCount, int columnCount, int[] columns, T[] values, bool isSorted, bool hasDuplicates)
    {
        _pointers = new(pointers);
        _columns = new(columns);
        _values = new(values);
        Rows = new CsrRows<T>
        {
            RowCount = rowCount,
            ColumnCount = columnCount,
            IsSorted = isSorted,
            HasDuplicates = hasDuplicates,
            RowPointers = _pointers.GetAddressOfArrayData() + firstRow,
            Columns = _columns.GetAddressOfArrayData(),
            Values = _values.GetAddressOfArrayData(),
        };
    }

    public CsrRows<T> Rows { get; }

    /// <summary>The pattern: values are bytes of no meaning, as many as there are entries.</summary>
    public CsrRows<NoValue> Pattern => new()
    {
        RowCount = Rows.RowCount,
        ColumnCount = Rows.ColumnCount,
        IsSorted = Rows.IsSorted,
        HasDuplicates = Rows.HasDuplicates,
        RowPointers = Rows.RowPointers,
        Columns = Rows.Columns,
        Values = (NoValue*)Rows.Values,
    };

    public void Dispose()
    {
        _pointers.Dispose();
        _columns.Dispose();
        _values.Dispose();
    }
}

/// <summary>What can be pinned.</summary>
internal static class PinnedCsr
{
    public static PinnedCsr<T> Of<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T> =>
        new(matrix.RowPointerArray, matrix.FirstRow, matrix.RowCount, matrix.ColumnCount, matrix.ColumnArray, matrix.ValueArray, matrix.IsSorted,
        matrix.HasDuplicates);

    /// <summary>The mask's pattern; an absent one for none.</summary>
    public static PinnedCsr<NoValue> Of(SpGemmMask? mask) =>
        mask is null ? default : new(mask.RowPointers, mask.FirstRow, mask.RowCount, mask.ColumnCount, mask.Columns, [], mask.IsSorted, hasDuplicates: true);
}
