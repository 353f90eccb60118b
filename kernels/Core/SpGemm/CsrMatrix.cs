using Kernels.Core.Checks;
using Kernels.Core.SpGemm;

namespace Kernels;

/// <summary>
/// A sparse matrix in compressed rows (CSR): the entries of row r are <c>Columns[i]</c>, <c>Values[i]</c> for i from <c>RowPointers[r]</c> to <c>RowPointers[r
/// + 1]</c>. Immutable, and shared freely between threads.
/// </summary>
/// <remarks>
/// <para>Row pointers have 64 bits, columns 32. An array holds at most <see cref="Array.MaxLength"/> entries; whatever would need more is refused, never
/// wrapped.</para>
/// <para>Entries may be zeros (explicit zeros) and are kept unless a method says otherwise. Rows may be unsorted and hold duplicates; a matrix that has neither
/// is canonical. Every product takes any of them, and says so in its result.</para>
/// </remarks>
/// <typeparam name="T">The type of the values: <see cref="float"/>, <see cref="double"/>, <see cref="int"/>, <see cref="long"/>, <see cref="bool"/> or
/// <see cref="System.Numerics.Complex"/>.</typeparam>
public sealed class CsrMatrix<T> where T : unmanaged, IEquatable<T>
{
    private readonly int _firstRow;
    private long[]? _rowPointers;
    private int[]? _columns;
    private T[]? _values;

    internal CsrMatrix(int rowCount, int columnCount, long[] rowPointers, int[] columns, T[] values, bool isSorted, bool hasDuplicates, int firstRow = 0)
    {
        (RowCount, ColumnCount, IsSorted, HasDuplicates, _firstRow) = (rowCount, columnCount, isSorted, hasDuplicates, firstRow);
        (_rowPointers, _columns, _values) = (rowPointers, columns, values);
    }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>The number of columns.</summary>
    public int ColumnCount { get; }

    /// <summary>The number of entries, explicit zeros and duplicates included.</summary>
    public long EntryCount => RowPointers[^1] - RowPointers[0];

    /// <summary>Whether the columns of every row do not fall.</summary>
    public bool IsSorted { get; }

    /// <summary>Whether a row may hold a column twice.</summary>
    public bool HasDuplicates { get; }

    /// <summary>Sorted rows without duplicates.</summary>
    public bool IsCanonical => IsSorted && !HasDuplicates;

    /// <summary>
    /// Where each row begins, and where the last one ends: one more than there are rows. The first is 0, except in a view of rows (<see cref="Rows"/>), which
    /// counts on from the matrix that it shows.
    /// </summary>
    public ReadOnlySpan<long> RowPointers => RowPointerArray.AsSpan(_firstRow, RowCount + 1);

    /// <summary>The columns of all entries, row after row; the first belongs to <c>RowPointers[0]</c>.</summary>
    public ReadOnlySpan<int> Columns => ColumnArray.AsSpan((int)RowPointers[0], (int)EntryCount);

    /// <summary>The values of all entries, as <see cref="Columns"/>.</summary>
    public ReadOnlySpan<T> Values => ValueArray.AsSpan((int)RowPointers[0], (int)EntryCount);

    /// <summary>The columns of one row.</summary>
    /// <param name="row">0 to <see cref="RowCount"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public ReadOnlySpan<int> RowColumns(int row) => ColumnArray.AsSpan(Entries(row));

    /// <summary>The values of one row.</summary>
    /// <param name="row">0 to <see cref="RowCount"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public ReadOnlySpan<T> RowValues(int row) => ValueArray.AsSpan(Entries(row));

    /// <summary>A view of consecutive rows: nothing is copied, and the arrays stay alive with it.</summary>
    /// <param name="first">The first row of the view.</param>
    /// <param name="count">The number of rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows are not all there.</exception>
    public CsrMatrix<T> Rows(int first, int count)
    {
        if ((uint)first > (uint)RowCount)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"there are {RowCount} rows");
        if ((uint)count > (uint)(RowCount - first))
            throw new ArgumentOutOfRangeException(nameof(count), count, $"{RowCount - first} rows follow row {first}");
        OwnsArrays = false;
        return new(count, ColumnCount, RowPointerArray, ColumnArray, ValueArray, IsSorted, HasDuplicates, _firstRow + first);
    }

    /// <summary>The same pattern with other values, one for each entry, copied. The pattern is shared.</summary>
    /// <param name="values">As many as there are entries, in their order.</param>
    /// <typeparam name="TOther">The type of the new values.</typeparam>
    /// <exception cref="ArgumentException">There are not as many values as entries.</exception>
    public CsrMatrix<TOther> WithValues<TOther>(ReadOnlySpan<TOther> values) where TOther : unmanaged, IEquatable<TOther>
    {
        Check.Exactly(values.Length, EntryCount, nameof(values));
        OwnsArrays = false;
        if (RowPointers[0] == 0)
            return new(RowCount, ColumnCount, RowPointerArray, ColumnArray, values.ToArray(), IsSorted, HasDuplicates, _firstRow);
        return new(RowCount, ColumnCount, CsrLayout.FromZero(RowPointers), Columns.ToArray(), values.ToArray(), IsSorted, HasDuplicates);
    }

    /// <summary>The columns become rows. Rows of the result are sorted; duplicates stay. O(rows + columns + entries).</summary>
    public CsrMatrix<T> Transpose() => CsrLayout.Transpose(this);

    /// <summary>The same entries with every row sorted by column, duplicates in their old order; this matrix itself if they are sorted already.</summary>
    public CsrMatrix<T> Sort() => IsSorted ? this : CsrLayout.SortRows(this);

    /// <summary>The canonical form: sorted, duplicates added in their order; this matrix itself if it is canonical already.</summary>
    /// <typeparam name="TSemiring">Whose addition merges duplicates.</typeparam>
    public CsrMatrix<T> SumDuplicates<TSemiring>() where TSemiring : struct, ISemiring<T> =>
        IsCanonical ? this : CsrLayout.MergeDuplicates<T, TSemiring>(Sort());

    /// <summary>
    /// The entries by compressed columns (CSC): those of column c are at <c>columnPointers[c]</c> to <c>columnPointers[c + 1]</c>, sorted by row.
    /// </summary>
    public (long[] ColumnPointers, int[] Rows, T[] Values) ToCsc()
    {
        CsrMatrix<T> transpose = CsrLayout.Transpose(this);
        return (transpose.RowPointerArray, transpose.ColumnArray, transpose.ValueArray);
    }

    /// <summary>The entries as coordinates (COO), in the order of this matrix.</summary>
    public (int[] Rows, int[] Columns, T[] Values) ToCoo()
    {
        var rows = new int[EntryCount];
        for (int row = 0; row < RowCount; row++)
            rows.AsSpan((int)(RowPointers[row] - RowPointers[0]), RowColumns(row).Length).Fill(row);
        return (rows, Columns.ToArray(), Values.ToArray());
    }

    /// <summary>The entries for which the predicate holds.</summary>
    /// <param name="keep">Takes row, column and value.</param>
    public CsrMatrix<T> Select(Func<int, int, T, bool> keep)
    {
        ArgumentNullException.ThrowIfNull(keep);
        return CsrLayout.Select(this, keep);
    }

    /// <summary>The array behind <see cref="RowPointers"/>, which may begin earlier and end later.</summary>
    internal long[] RowPointerArray => _rowPointers ?? throw Recycled();

    /// <summary>Indexed by row pointers; may be longer than the entries.</summary>
    internal int[] ColumnArray => _columns ?? throw Recycled();

    /// <summary>Indexed by row pointers; may be longer than the entries.</summary>
    internal T[] ValueArray => _values ?? throw Recycled();

    internal int FirstRow => _firstRow;

    /// <summary>Whether nobody else has the arrays: true of a product until a view or another matrix shares them.</summary>
    internal bool OwnsArrays { get; set; }

    /// <summary>Hands the arrays over; the matrix cannot be used any more.</summary>
    internal (long[] RowPointers, int[] Columns, T[] Values) Surrender()
    {
        (long[], int[], T[]) arrays = (RowPointerArray, ColumnArray, ValueArray);
        (_rowPointers, _columns, _values) = (null, null, null);
        return arrays;
    }

    private Range Entries(int row)
    {
        if ((uint)row >= (uint)RowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"there are {RowCount} rows");
        ReadOnlySpan<long> pointers = RowPointers;
        return (int)pointers[row]..(int)pointers[row + 1];
    }

    private static ObjectDisposedException Recycled() => new(nameof(CsrMatrix<T>), "the matrix was recycled: its memory belongs to a workspace");
}
