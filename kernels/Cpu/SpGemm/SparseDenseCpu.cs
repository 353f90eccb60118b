using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>Drivers of products of sparse and dense: operands pinned, rows over threads.</summary>
internal static unsafe class SparseDenseCpu
{
    // Entries that a thread takes at a time, in rows of the average length: some ten microseconds.
    private const long GrainEntries = 1 << 14;

    public static void Multiply<T, TSemiring>(CsrMatrix<T> matrix, ReadOnlySpan<T> dense, int width, Span<T> result, in KernelOptions options)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        using PinnedCsr<T> pinned = PinnedCsr.Of(matrix);
        fixed (T* source = dense, target = result)
        {
            var job = new SparseDenseJob<T, TSemiring> { Matrix = pinned.Rows, Dense = source, Result = target, Width = width };
            Run(job, matrix.RowCount, matrix.EntryCount * width, options);
        }
    }

    public static void Sample<T, TSemiring>(CsrMatrix<T> pattern, ReadOnlySpan<T> left, ReadOnlySpan<T> right, int inner, Span<T> result,
        in KernelOptions options) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        using PinnedCsr<T> pinned = PinnedCsr.Of(pattern);
        fixed (T* first = left, second = right, target = result)
        {
            var job = new SampledDenseJob<T, TSemiring> { Pattern = pinned.Rows, Left = first, Right = second, Result = target, Inner = inner };
            Run(job, pattern.RowCount, pattern.EntryCount * inner, options);
        }
    }

    private static void Run<TJob>(in TJob job, int rowCount, long products, in KernelOptions options) where TJob : unmanaged, IRangeJob
    {
        long grain = Math.Max(1, rowCount * GrainEntries / Math.Max(GrainEntries, products));
        RangeRunner.Run(job, rowCount, grain, SpGemmAnalysis.ThreadCount(products, long.MaxValue, options), options.CancellationToken);
    }
}
