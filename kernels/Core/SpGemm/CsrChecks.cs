using System.Numerics;
using Kernels.Core.Checks;

namespace Kernels.Core.SpGemm;

/// <summary>The argument checks of sparse matrices. Every message names the parameter and the value.</summary>
internal static class CsrChecks
{
    /// <summary>The most rows or columns: their pointers, one more, are an array.</summary>
    public static int MostRows => Array.MaxLength - 1;

    public static void ValueType<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(int) && typeof(T) != typeof(long) && typeof(T) != typeof(bool)
            && typeof(T) != typeof(Complex))
            throw new NotSupportedException($"Sparse values of type {typeof(T)} have no kernels: use float, double, int, long, bool or Complex.");
    }

    public static void Size(long count, string name)
    {
        if (count < 0 || count > MostRows)
            throw new ArgumentOutOfRangeException(name, count, $"a matrix has 0 to {MostRows} rows and columns");
    }

    /// <summary>Pointers that begin at 0, do not fall, and end within the entries given.</summary>
    public static void Pointers(ReadOnlySpan<long> pointers, int rowCount, int columnsLength, int valuesLength, string name)
    {
        Check.Exactly(pointers.Length, rowCount + 1L, name);
        if (pointers[0] != 0)
            throw new ArgumentException($"the first pointer is {pointers[0]}, not 0", name);
        for (int row = 0; row < rowCount; row++)
        {
            if (pointers[row + 1] < pointers[row])
                throw new ArgumentException($"the pointers fall from {pointers[row]} to {pointers[row + 1]} at row {row}", name);
        }
        if (pointers[^1] > columnsLength || pointers[^1] > valuesLength)
            throw new ArgumentException($"the last pointer is {pointers[^1]}, beyond {columnsLength} columns and {valuesLength} values", name);
    }

    /// <summary>Indices within 0 and the size.</summary>
    public static void Indices(ReadOnlySpan<int> indices, int size, string name)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)size)
                throw new ArgumentOutOfRangeException(name, indices[i], $"element {i} is outside of 0 to {size - 1}");
        }
    }

    /// <summary>An array's length for this many entries.</summary>
    /// <exception cref="OverflowException">No array can hold them.</exception>
    public static int ArrayLength(long entries) => entries <= Array.MaxLength
        ? (int)entries
        : throw new OverflowException($"{entries} entries are more than an array holds ({Array.MaxLength}); work on fewer rows at a time");

    public static void Product(int leftColumns, int rightRows, string name)
    {
        if (leftColumns != rightRows)
            throw new ArgumentException($"a matrix with {rightRows} rows cannot be multiplied by one with {leftColumns} columns", name);
    }

    public static void SameShape(int rows, int columns, int otherRows, int otherColumns, string name)
    {
        if (rows != otherRows || columns != otherColumns)
            throw new ArgumentException($"{otherRows} x {otherColumns} where {rows} x {columns} is needed", name);
    }
}
