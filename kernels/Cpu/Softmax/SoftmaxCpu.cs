using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Softmax;

/// <summary>The softmax driver: chooses the form of the computation and its partition into work, from sizes alone. Knows no instruction set.</summary>
internal sealed unsafe class SoftmaxCpu<T, C, TKernels, TStorage> : ISoftmaxBackend<T>
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    public void Compute(in SoftmaxRows<T> rows, in KernelOptions options)
    {
        SoftmaxShape shape = rows.Shape;
        int threads = SoftmaxPartition.ThreadCount(shape.RowCount * shape.RowLength, options);
        if (shape.InnerCount != 1)
            RunColumns(rows, threads, options.CancellationToken);
        else if (IsPacked(rows))
            RunPacked(rows, threads, options.CancellationToken);
        else if (threads > 1 && SoftmaxPartition.IsCut(shape, threads))
            RunLongRows(rows, threads, options.CancellationToken);
        else
            RunRows(rows, threads, options.CancellationToken);
    }

    public void Backward(in SoftmaxGradientRows<T> rows, in KernelOptions options)
    {
        int threads = SoftmaxPartition.ThreadCount((long)rows.RowCount * rows.RowLength, options);
        var job = new SoftmaxGradientJob<T, C, TKernels, TStorage>(rows);
        RangeRunner.Run(job, rows.RowCount, SoftmaxPartition.Grain(rows.RowLength), threads, options.CancellationToken);
    }

    public void TopK(in SoftmaxRows<T> rows, T* values, int* indices, int count, in KernelOptions options)
    {
        int threads = SoftmaxPartition.ThreadCount(rows.Shape.RowCount * rows.Shape.RowLength, options);
        var job = new SoftmaxTopKJob<T, C, TKernels, TStorage>(rows, values, indices, count);
        RangeRunner.Run(job, rows.Shape.RowCount, SoftmaxPartition.Grain(rows.Shape.RowLength), threads, options.CancellationToken);
    }

    private static void RunRows(in SoftmaxRows<T> rows, int threads, CancellationToken cancellation)
    {
        bool nonTemporal = IsStreamed(rows);
        var job = new SoftmaxRowJob<T, C, TKernels, TStorage>(rows, FormOf(rows, nonTemporal), nonTemporal);
        RangeRunner.Run(job, rows.Shape.OuterCount, SoftmaxPartition.Grain(rows.Shape.RowLength), threads, cancellation);
    }

    private static void RunLongRows(in SoftmaxRows<T> rows, int threads, CancellationToken cancellation)
    {
        var longRow = new SoftmaxLongRow<T, C, TKernels, TStorage>(rows, IsStreamed(rows));
        for (int row = 0; row < rows.Shape.OuterCount; row++)
            longRow.Run(row, threads, cancellation);
    }

    private static void RunPacked(in SoftmaxRows<T> rows, int threads, CancellationToken cancellation)
    {
        var job = new SoftmaxPackedJob<T, C, TKernels, TStorage>(rows);
        RangeRunner.Run(job, rows.Shape.OuterCount, SoftmaxPartition.Grain(rows.Shape.RowLength), threads, cancellation);
    }

    private static void RunColumns(in SoftmaxRows<T> rows, int threads, CancellationToken cancellation)
    {
        var job = new SoftmaxColumnJob<T, C, TKernels, TStorage>(rows);
        RangeRunner.Run(job, job.TileCount, grain: 1, threads, cancellation);
    }

    // Asks for the length and for options of the call, not for the number of rows: a row is its own.
    private static bool IsPacked(in SoftmaxRows<T> rows) =>
        TKernels.Width > 1 && rows.Shape.RowLength is > 0 and <= SoftmaxTuning.PackedLength && !rows.Causal && rows.RowLengths == null;

    // The forms give the same bits for the same row, so neither the number of rows nor that of threads shows in a result.
    private static SoftmaxRowForm FormOf(in SoftmaxRows<T> rows, bool nonTemporal)
    {
        if (rows.Operation != SoftmaxOperation.Probabilities)
            return SoftmaxRowForm.TwoPass;
        long rowBytes = (long)rows.Shape.RowLength * sizeof(C);
        if (rowBytes <= SoftmaxTuning.ScratchBytes)
            return SoftmaxRowForm.FusedInScratch;
        // A row that may be cut among threads is computed as if it were cut.
        bool isOneChunk = rows.Shape.RowLength <= SoftmaxPartition.ChunkLengthOf(rows.Shape.RowLength);
        return isOneChunk && TStorage.IsComputeType && !nonTemporal ? SoftmaxRowForm.FusedInOutput : SoftmaxRowForm.TwoPass;
    }

    // In place, the lines to be written are in the cache already.
    private static bool IsStreamed(in SoftmaxRows<T> rows) =>
        rows.Operation != SoftmaxOperation.LogSumExp && rows.Input != rows.Output && rows.Shape.OutputExtent * sizeof(T) >= SoftmaxTuning.StreamedOutputBytes;
}
