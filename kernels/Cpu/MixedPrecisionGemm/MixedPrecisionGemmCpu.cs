using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The driver: blocks of rows; for each, the activations are brought into the order of use, and the panels of outputs are spread over the threads. A panel's
/// weights are read once for each block of rows, so once at small batch. Knows no instruction set.
/// </summary>
internal sealed unsafe class MixedPrecisionGemmCpu<T, TStorage, TKernels> : IMixedPrecisionGemmBackend<T>
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IGemmKernels
{
    public void Multiply(in MixedPrecisionGemmRows<T> rows, in KernelOptions options)
    {
        int threads = ThreadCount(rows, options);
        long fitting = Math.Max(1, MixedPrecisionGemmTuning.LargestScratch / ActivationBlock.Bytes(rows.Layout, rows.Arithmetic, rowCount: 1));
        int blockRows = (int)Math.Min(fitting, Math.Min(rows.RowCount, MixedPrecisionGemmTuning.BlockRows));
        long activationBytes = ActivationBlock.Bytes(rows.Layout, rows.Arithmetic, blockRows), sums = PartSums(rows.Layout, blockRows);
        using var scratch = new RentedScratch(RentedScratch.Bytes<byte>(activationBytes) + RentedScratch.Bytes<float>(sums));
        byte* activations = scratch.Take<byte>(activationBytes);
        float* partSums = scratch.Take<float>(sums);
        for (int row = 0; row < rows.RowCount; row += blockRows)
            MultiplyBlock(rows, row, Math.Min(blockRows, rows.RowCount - row), activations, partSums, threads, options.CancellationToken);
    }

    private static void MultiplyBlock(in MixedPrecisionGemmRows<T> rows, int firstRow, int rowCount, byte* scratch, float* partSums, int threads,
        CancellationToken cancellation)
    {
        var block = new ActivationBlock(scratch, rows.Layout, rows.Arithmetic, rowCount);
        RangeRunner.Run(new ActivationJob<T, TStorage>(rows, firstRow, block), rowCount, grain: 1, threads, cancellation);
        var parts = new GemmParts(rows.Layout);
        var panels = new GemmPanelJob<T, TStorage, TKernels>(rows, firstRow, block, parts, partSums);
        RangeRunner.Run(panels, (long)rows.Layout.PanelCount * parts.Count, grain: 1, threads, cancellation);
        if (parts.Count > 1)
            RangeRunner.Run(new GemmReductionJob<T, TStorage, TKernels>(panels), rows.Layout.PanelCount, grain: 1, threads, cancellation);
    }

    private static long PartSums(in QuantizedWeightsLayout layout, int rowCount)
    {
        int parts = new GemmParts(layout).Count;
        return parts == 1 ? 0 : (long)layout.PanelCount * parts * rowCount * QuantizedWeightsLayout.PanelColumns;
    }

    private static int ThreadCount(in MixedPrecisionGemmRows<T> rows, in KernelOptions options) =>
        ThreadPolicy.Threads((long)rows.Layout.OutputCount * rows.Layout.InputCount * rows.RowCount, MixedPrecisionGemmTuning.ParallelProducts, options);
}
