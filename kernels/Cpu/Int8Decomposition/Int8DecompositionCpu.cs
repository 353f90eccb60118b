using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The driver: blocks of rows; for each, activations are quantised and packed, then the panels of outputs are spread over the threads. A panel's weights are
/// read once for each block of rows, so once at small batch. Knows no instruction set.
/// </summary>
internal sealed unsafe class Int8DecompositionCpu<T, TStorage, TKernels> : IInt8DecompositionBackend<T>
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IInt8Kernels
{
    public void Multiply(in Int8DecompositionRows<T> rows, in KernelOptions options)
    {
        int threads = ThreadCount(rows.RowCount, rows.Weights.Layout, options);
        using RentedScratch scratch = RentBlock(rows.Weights.Layout.InputCount, rows.RowCount, out Int8ActivationBlock block);
        if (rows.Outliers == OutlierScope.BatchColumns)
            FindColumns(rows.Activations, rows.RowCount, rows.Weights.Layout.InputCount, rows.Limit, block.United, threads, options.CancellationToken);
        for (int first = 0; first < rows.RowCount; first += Int8DecompositionTuning.BlockRows)
        {
            int count = Math.Min(Int8DecompositionTuning.BlockRows, rows.RowCount - first);
            var activations = new Int8ActivationJob<T, TStorage, TKernels>(rows, first, count, block);
            RangeRunner.Run(activations, Int8ActivationBlock.TileCount(count), grain: 1, threads, options.CancellationToken);
            MultiplyBlock(rows.Weights, block, count, new Int8FloatOutput<T, TStorage>(rows, first, block), threads, options.CancellationToken);
        }
    }

    public void MultiplyInt8(in Int8ProductRows rows, in KernelOptions options)
    {
        int threads = ThreadCount(rows.RowCount, rows.Weights.Layout, options), inputCount = rows.Weights.Layout.InputCount;
        using RentedScratch scratch = RentBlock(inputCount, rows.RowCount, out Int8ActivationBlock block);
        for (int first = 0; first < rows.RowCount; first += Int8DecompositionTuning.BlockRows)
        {
            int count = Math.Min(Int8DecompositionTuning.BlockRows, rows.RowCount - first);
            RangeRunner.Run(new Int8PackJob<TKernels>(rows.Values + (long)first * inputCount, inputCount, block), count, grain: 1, threads,
                options.CancellationToken);
            MultiplyBlock(rows.Weights, block, count, new Int8IntegerOutput(rows, first), threads, options.CancellationToken);
        }
    }

    public void QuantizeRows(in Int8QuantizationRows<T> rows, in KernelOptions options) =>
        RangeRunner.Run(new Int8RowJob<T, TStorage>(rows), rows.RowCount, grain: 1, ThreadCount((long)rows.RowCount * rows.ColumnCount, options),
        options.CancellationToken);

    public void QuantizeColumns(in Int8QuantizationRows<T> rows, in KernelOptions options) => RangeRunner.Run(
        new Int8ColumnsJob<T, TStorage>(rows), ChunkCount(rows.ColumnCount), grain: 1, ThreadCount((long)rows.RowCount * rows.ColumnCount, options),
        options.CancellationToken);

    public void FindOutlierColumns(in Int8QuantizationRows<T> rows, byte* hasOutlier, in KernelOptions options) => FindColumns(
        rows.Matrix, rows.RowCount, rows.ColumnCount, rows.Limit, hasOutlier, ThreadCount((long)rows.RowCount * rows.ColumnCount, options),
        options.CancellationToken);

    public void Dequantize(in Int8QuantizationRows<T> rows, in KernelOptions options) =>
        RangeRunner.Run(new Int8DequantizeJob<T, TStorage>(rows), rows.RowCount, grain: 1, ThreadCount((long)rows.RowCount * rows.ColumnCount, options),
        options.CancellationToken);

    public void DequantizeProduct(in Int8DequantizationRows<T> rows, in KernelOptions options) => RangeRunner.Run(
        new Int8DequantizeProductJob<T, TStorage>(rows), rows.RowCount, grain: 1, ThreadCount((long)rows.RowCount * rows.ColumnCount, options),
        options.CancellationToken);

    private static int ChunkCount(int columnCount) => (columnCount + Int8DecompositionTuning.Chunk - 1) / Int8DecompositionTuning.Chunk;

    private static void FindColumns(T* matrix, int rowCount, int columnCount, float limit, byte* hasOutlier, int threads, CancellationToken cancellation)
    {
        new Span<byte>(hasOutlier, columnCount).Clear();
        RangeRunner.Run(new Int8ColumnJob<T, TStorage>(matrix, columnCount, limit, hasOutlier), rowCount, grain: 1, threads, cancellation);
    }

    private static void MultiplyBlock<TOutput>(
        in Int8WeightsRows weights, in Int8ActivationBlock block, int rowCount, TOutput output, int threads, CancellationToken cancellation)
        where TOutput : unmanaged, IInt8Output
    {
        int panels = weights.Layout.PanelCount, wanted = threads * Int8DecompositionTuning.PanelsPerThread;
        int parts = threads == 1 || panels >= wanted ? 1 : Math.Min(Int8ActivationBlock.TileCount(rowCount), (wanted + panels - 1) / panels);
        RangeRunner.Run(new Int8PanelJob<TKernels, TOutput>(weights, block, rowCount, parts, output), (long)panels * parts, grain: 1, threads, cancellation);
    }

    private static RentedScratch RentBlock(int inputCount, int rowCount, out Int8ActivationBlock block)
    {
        int blockRows = Math.Min(rowCount, Int8DecompositionTuning.BlockRows);
        RentedScratch scratch = RentedScratch.Of(Int8ActivationBlock.Bytes(inputCount, TKernels.ActivationBytes, blockRows), out byte* memory);
        block = new Int8ActivationBlock(memory, inputCount, TKernels.ActivationBytes, blockRows);
        return scratch;
    }

    private static int ThreadCount(int rowCount, in Int8WeightsLayout layout, in KernelOptions options) =>
        ThreadCount((long)layout.OutputCount * layout.InputCount * rowCount, options);

    private static int ThreadCount(long work, in KernelOptions options) => Int8DecompositionTuning.ThreadCount(work, options);
}
