using System.Numerics;
using Kernels.Core.SpGemm;

namespace Kernels.Managed;

/// <summary>Merges of canonical matrices, row by row, and the Kronecker product.</summary>
internal static class SparseMerge
{
    public static CsrMatrix<T> Union<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        var result = new RowBuilder<T>(left.RowCount, left.EntryCount + right.EntryCount);
        for (int row = 0; row < left.RowCount; row++)
        {
            ReadOnlySpan<int> leftColumns = left.RowColumns(row), rightColumns = right.RowColumns(row);
            int i = 0, j = 0;
            while (i < leftColumns.Length || j < rightColumns.Length)
            {
                int from = i == leftColumns.Length ? 1 : j == rightColumns.Length ? -1 : leftColumns[i].CompareTo(rightColumns[j]);
                if (from == 0)
                    result.Add(leftColumns[i], TSemiring.Add(left.RowValues(row)[i++], right.RowValues(row)[j++]));
                else if (from < 0)
                    result.Add(leftColumns[i], left.RowValues(row)[i++]);
                else
                    result.Add(rightColumns[j], right.RowValues(row)[j++]);
            }
            result.EndRow(row);
        }
        return result.ToMatrix(left.ColumnCount);
    }

    public static CsrMatrix<T> Intersection<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        var result = new RowBuilder<T>(left.RowCount, Math.Min(left.EntryCount, right.EntryCount));
        for (int row = 0; row < left.RowCount; row++)
        {
            ReadOnlySpan<int> leftColumns = left.RowColumns(row), rightColumns = right.RowColumns(row);
            for (int i = 0, j = 0; i < leftColumns.Length && j < rightColumns.Length;)
            {
                int order = leftColumns[i].CompareTo(rightColumns[j]);
                if (order == 0)
                    result.Add(leftColumns[i], TSemiring.Multiply(left.RowValues(row)[i], right.RowValues(row)[j]));
                i += order <= 0 ? 1 : 0;
                j += order >= 0 ? 1 : 0;
            }
            result.EndRow(row);
        }
        return result.ToMatrix(left.ColumnCount);
    }

    public static CsrMatrix<T> Kronecker<T>(CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, INumberBase<T>
    {
        int rows = left.RowCount * right.RowCount, columns = left.ColumnCount * right.ColumnCount;
        var result = new RowBuilder<T>(rows, left.EntryCount * right.EntryCount);
        for (int row = 0; row < rows; row++)
        {
            (int leftRow, int rightRow) = (row / right.RowCount, row % right.RowCount);
            for (int i = 0; i < left.RowColumns(leftRow).Length; i++)
            {
                for (int j = 0; j < right.RowColumns(rightRow).Length; j++)
                    result.Add(left.RowColumns(leftRow)[i] * right.ColumnCount + right.RowColumns(rightRow)[j], left.RowValues(leftRow)[i] * right.RowValues(rightRow)[j]);
            }
            result.EndRow(row);
        }
        return result.ToMatrix(columns, left.IsSorted && right.IsSorted && !left.HasDuplicates, left.HasDuplicates || right.HasDuplicates);
    }

    /// <summary>Entries written one after another into arrays of the most that there can be.</summary>
    private struct RowBuilder<T>(int rowCount, long mostEntries) where T : unmanaged, IEquatable<T>
    {
        private readonly long[] _pointers = new long[rowCount + 1];
        private readonly int[] _columns = GC.AllocateUninitializedArray<int>(CsrChecks.ArrayLength(mostEntries));
        private readonly T[] _values = GC.AllocateUninitializedArray<T>((int)mostEntries);
        private int _count;

        public void Add(int column, T value) => (_columns[_count], _values[_count++]) = (column, value);

        public readonly void EndRow(int row) => _pointers[row + 1] = _count;

        public readonly CsrMatrix<T> ToMatrix(int columnCount, bool isSorted = true, bool hasDuplicates = false) =>
            new(_pointers.Length - 1, columnCount, _pointers, _columns.AsSpan(0, _count).ToArray(), _values.AsSpan(0, _count).ToArray(), isSorted, hasDuplicates);
    }
}
