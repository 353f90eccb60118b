using System.Numerics;
using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// Drivers of element-wise operations on two canonical matrices and of the Kronecker product: operands pinned, rows over threads, arrays of just the result's
/// length.
/// </summary>
internal static unsafe class SparseMergeCpu
{
    // Entries that a thread takes at a time, in rows of the average length: some tens of microseconds.
    private const long GrainEntries = 1 << 14;

    public static CsrMatrix<T> Union<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, in KernelOptions options)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T> => Merge<T, UnionRule<T, TSemiring>>(left, right, options);

    public static CsrMatrix<T> Intersection<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, in KernelOptions options)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T> => Merge<T, IntersectionRule<T, TSemiring>>(left, right, options);

    public static CsrMatrix<T> Kronecker<T>(CsrMatrix<T> left, CsrMatrix<T> right, in KernelOptions options) where T : unmanaged, INumberBase<T>
    {
        int length = CsrChecks.ArrayLength(left.EntryCount * right.EntryCount);
        var pointers = new long[left.RowCount * right.RowCount + 1];
        for (int row = 0; row < pointers.Length - 1; row++)
            pointers[row + 1] = pointers[row] + (long)left.RowColumns(row / right.RowCount).Length * right.RowColumns(row % right.RowCount).Length;
        int[] columns = GC.AllocateUninitializedArray<int>(length);
        T[] values = GC.AllocateUninitializedArray<T>(length);
        using PinnedCsr<T> pinnedLeft = PinnedCsr.Of(left), pinnedRight = PinnedCsr.Of(right);
        fixed (long* starts = pointers)
        fixed (int* toColumns = columns)
        fixed (T* toValues = values)
        {
            var job = new KroneckerJob<T> { Left = pinnedLeft.Rows, Right = pinnedRight.Rows, RowPointers = starts, Columns = toColumns, Values = toValues };
            Run(job, pointers.Length - 1, length, options);
        }
        bool hasDuplicates = left.HasDuplicates || right.HasDuplicates;
        return new(pointers.Length - 1, left.ColumnCount * right.ColumnCount, pointers, columns, values, left.IsSorted && right.IsSorted && !left.HasDuplicates,
            hasDuplicates);
    }

    private static CsrMatrix<T> Merge<T, TRule>(CsrMatrix<T> left, CsrMatrix<T> right, in KernelOptions options)
        where T : unmanaged, IEquatable<T> where TRule : struct, IMergeRule<T>
    {
        var pointers = new long[left.RowCount + 1];
        long entries = left.EntryCount + right.EntryCount;
        using PinnedCsr<T> pinnedLeft = PinnedCsr.Of(left), pinnedRight = PinnedCsr.Of(right);
        fixed (long* starts = pointers)
        {
            var job = new SparseMergeJob<T, TRule> { Left = pinnedLeft.Rows, Right = pinnedRight.Rows, RowPointers = starts, Counts = true };
            Run(job, left.RowCount, entries, options);
            for (int row = 0; row < left.RowCount; row++)
                pointers[row + 1] += pointers[row];
            int length = CsrChecks.ArrayLength(pointers[^1]);
            int[] columns = GC.AllocateUninitializedArray<int>(length);
            T[] values = GC.AllocateUninitializedArray<T>(length);
            fixed (int* toColumns = columns)
            fixed (T* toValues = values)
                Run(job with { Counts = false, Columns = toColumns, Values = toValues }, left.RowCount, entries, options);
            return new(left.RowCount, left.ColumnCount, pointers, columns, values, isSorted: true, hasDuplicates: false);
        }
    }

    private static void Run<TJob>(in TJob job, int rowCount, long entries, in KernelOptions options) where TJob : unmanaged, IRangeJob
    {
        long grain = Math.Max(1, rowCount * GrainEntries / Math.Max(GrainEntries, entries));
        RangeRunner.Run(job, rowCount, grain, SpGemmAnalysis.ThreadCount(entries, long.MaxValue, options), options.CancellationToken);
    }
}
