using System.Numerics;
using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>What becomes of entries of two canonical matrices.</summary>
internal interface IMergeRule<T>
{
    /// <summary>Whether an entry that only one of them has is one of the result.</summary>
    static abstract bool KeepsSingles { get; }

    static abstract T Combine(T left, T right);
}

/// <summary>Entries of either, those of both added.</summary>
internal readonly struct UnionRule<T, TSemiring> : IMergeRule<T> where T : unmanaged where TSemiring : struct, ISemiring<T>
{
    public static bool KeepsSingles => true;

    public static T Combine(T left, T right) => TSemiring.Add(left, right);
}

/// <summary>Entries of both, multiplied.</summary>
internal readonly struct IntersectionRule<T, TSemiring> : IMergeRule<T> where T : unmanaged where TSemiring : struct, ISemiring<T>
{
    public static bool KeepsSingles => false;

    public static T Combine(T left, T right) => TSemiring.Multiply(left, right);
}

/// <summary>Rows of two canonical matrices merged: first their lengths, then, where those begin, their entries.</summary>
internal unsafe struct SparseMergeJob<T, TRule> : IRangeJob
    where T : unmanaged
    where TRule : struct, IMergeRule<T>
{
    public CsrRows<T> Left, Right;

    /// <summary>Counting writes the length of row r to element r + 1; writing reads where the row begins from element r.</summary>
    public long* RowPointers;

    /// <summary>Counts instead of writing.</summary>
    public bool Counts;

    public int* Columns;
    public T* Values;

    public readonly void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            if (Counts)
                RowPointers[row + 1] = Merge(row, 0);
            else
                Merge(row, RowPointers[row]);
        }
    }

    // Returns the end of the row that begins at the place.
    private readonly long Merge(long row, long place)
    {
        long i = Left.RowPointers[row], leftEnd = Left.RowPointers[row + 1], j = Right.RowPointers[row], rightEnd = Right.RowPointers[row + 1];
        while (i < leftEnd && j < rightEnd)
        {
            int left = Left.Columns[i], right = Right.Columns[j];
            if (left == right)
                Put(place++, left, Counts ? default : TRule.Combine(Left.Values[i], Right.Values[j]));
            else if (TRule.KeepsSingles)
                Put(place++, Math.Min(left, right), left < right ? Left.Values[i] : Right.Values[j]);
            i += left <= right ? 1 : 0;
            j += right <= left ? 1 : 0;
        }
        if (!TRule.KeepsSingles)
            return place;
        for (; i < leftEnd; i++)
            Put(place++, Left.Columns[i], Left.Values[i]);
        for (; j < rightEnd; j++)
            Put(place++, Right.Columns[j], Right.Values[j]);
        return place;
    }

    private readonly void Put(long place, int column, T value)
    {
        if (!Counts)
            (Columns[place], Values[place]) = (column, value);
    }
}

/// <summary>Rows of a Kronecker product: row r is row r / p of the left matrix times row r % p of the right one, which has p rows.</summary>
internal unsafe struct KroneckerJob<T> : IRangeJob where T : unmanaged, INumberBase<T>
{
    public CsrRows<T> Left, Right;

    /// <summary>Where the rows of the result begin.</summary>
    public long* RowPointers;

    public int* Columns;
    public T* Values;

    public readonly void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            long leftRow = row / Right.RowCount, rightRow = row % Right.RowCount, place = RowPointers[row];
            for (long i = Left.RowPointers[leftRow]; i < Left.RowPointers[leftRow + 1]; i++)
            {
                for (long j = Right.RowPointers[rightRow]; j < Right.RowPointers[rightRow + 1]; j++, place++)
                    (Columns[place], Values[place]) = (Left.Columns[i] * Right.ColumnCount + Right.Columns[j], Left.Values[i] * Right.Values[j]);
            }
        }
    }
}
