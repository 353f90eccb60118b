using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Native.Library;

namespace Kernels.Native.Softmax;

/// <summary>
/// The softmax family in C++: shares rows, tiles of columns, or the chunks of a few long rows, out among threads. What a row becomes depends on neither.
/// </summary>
internal sealed unsafe class SoftmaxNative<T>(int isa) : ISoftmaxBackend<T> where T : unmanaged
{
    private static readonly NativeElementType s_type = NativeElement.TypeOf<T>();

    /// <inheritdoc/>
    public void Compute(in SoftmaxRows<T> rows, in KernelOptions options)
    {
        NativeSoftmaxRows native = NativeSoftmaxRows.From(rows);
        SoftmaxShape shape = rows.Shape;
        int threads = SoftmaxPartition.ThreadCount(shape.RowCount * shape.RowLength, options);
        if (shape.InnerCount != 1)
        {
            ComputeColumns(&native, threads, options.CancellationToken);
            return;
        }
        long chunk = SoftmaxPartition.ChunkLengthOf(shape.RowLength);
        // On one thread a long row is cut for the token's sake alone, which is looked at between chunks.
        bool isCut = threads > 1 ? SoftmaxPartition.IsCut(shape, threads) : options.CancellationToken.CanBeCanceled && shape.RowLength > chunk;
        if (isCut)
        {
            for (long row = 0; row < shape.RowCount; row++)
                ComputeLongRow(&native, row, chunk, threads, options.CancellationToken);
            return;
        }
        var job = new NativeRowsJob(isa, s_type, &native);
        RangeRunner.Run(job, shape.RowCount, SoftmaxPartition.Grain(shape.RowLength), threads, options.CancellationToken);
    }

    /// <inheritdoc/>
    public void Backward(in SoftmaxGradientRows<T> rows, in KernelOptions options)
    {
        NativeSoftmaxGradientRows native = NativeSoftmaxGradientRows.From(rows);
        int threads = SoftmaxPartition.ThreadCount((long)rows.RowCount * rows.RowLength, options);
        RangeRunner.Run(new NativeGradientJob(isa, s_type, &native), rows.RowCount, SoftmaxPartition.Grain(rows.RowLength), threads, options.CancellationToken);
    }

    /// <inheritdoc/>
    public void TopK(in SoftmaxRows<T> rows, T* values, int* indices, int count, in KernelOptions options)
    {
        NativeSoftmaxRows native = NativeSoftmaxRows.From(rows);
        SoftmaxShape shape = rows.Shape;
        int threads = SoftmaxPartition.ThreadCount(shape.RowCount * shape.RowLength, options);
        var job = new NativeTopKJob(isa, s_type, &native, values, indices, count);
        RangeRunner.Run(job, shape.RowCount, SoftmaxPartition.Grain(shape.RowLength), threads, options.CancellationToken);
    }

    private void ComputeColumns(NativeSoftmaxRows* rows, int threads, CancellationToken cancellation)
    {
        long tileLength = SoftmaxNativeMethods.TileLength(s_type, rows->RowLength);
        var job = new NativeColumnsJob(isa, s_type, rows, tileLength);
        RangeRunner.Run(job, job.TileCount, SoftmaxPartition.Grain(rows->RowLength * tileLength), threads, cancellation);
    }

    private void ComputeLongRow(NativeSoftmaxRows* rows, long row, long chunk, int threads, CancellationToken cancellation)
    {
        NativeSoftmaxSum* parts = stackalloc NativeSoftmaxSum[SoftmaxPartition.MaxChunkCount];
        NativeSoftmaxSum sum;
        long chunkCount = (rows->RowLength + chunk - 1) / chunk;
        RangeRunner.Run(new NativePartialSumJob(isa, s_type, rows, row, chunk, parts), chunkCount, 1, threads, cancellation);
        NativeKernels.Check(SoftmaxNativeMethods.Combine(parts, chunkCount, &sum));
        // A log-sum-exp is one number, whatever the chunk.
        long written = rows->Operation == (int)SoftmaxOperation.LogSumExp ? 1 : chunkCount;
        RangeRunner.Run(new NativeNormalizeJob(isa, s_type, rows, row, chunk, &sum), written, 1, threads, cancellation);
    }
}
