using System.Runtime.InteropServices;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// Gradients of y = x W^T + b in float, with W as the integers stand for it. Rows come in blocks; a block's gradient of the outputs is widened once, padded
/// with zeros to whole panels, and the inputs are spread over the threads.
/// </summary>
internal sealed unsafe class Int8GradientCpu<T, TStorage, TSimd, V> : IInt8GradientBackend<T>
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    private const int BlockRows = Int8DecompositionTuning.GradientRows, Columns = Int8DecompositionTuning.GradientColumns;

    public void Backward(in Int8GradientRows<T> rows, in KernelOptions options)
    {
        Int8WeightsLayout layout = rows.Weights.Layout;
        int threads = Int8DecompositionTuning.ThreadCount((long)layout.OutputCount * layout.InputCount * rows.RowCount, options);
        int stride = layout.PanelCount * Int8WeightsLayout.PanelColumns, blockRows = Math.Min(BlockRows, rows.RowCount);
        if (rows.WeightGradient != null)
            NativeMemory.Clear(rows.WeightGradient, (nuint)layout.OutputCount * (nuint)layout.InputCount * sizeof(float));
        if (rows.BiasGradient != null)
            new Span<float>(rows.BiasGradient, layout.OutputCount).Clear();
        using RentedScratch scratch = RentedScratch.Of((long)blockRows * stride, out float* gradient);
        for (int first = 0; first < rows.RowCount; first += BlockRows)
        {
            int count = Math.Min(BlockRows, rows.RowCount - first);
            Widen(rows, first, count, gradient, stride);
            var job = new Int8GradientJob<T, TStorage, TSimd, V>(rows, first, count, gradient, stride);
            RangeRunner.Run(job, (layout.InputCount + Columns - 1) / Columns, grain: 1, threads, options.CancellationToken);
            if (rows.BiasGradient != null)
                AddRows(gradient, count, stride, rows.BiasGradient, layout.OutputCount);
        }
    }

    private static void Widen(in Int8GradientRows<T> rows, int first, int count, float* gradient, int stride)
    {
        int outputs = rows.Weights.Layout.OutputCount;
        NativeMemory.Clear(gradient, (nuint)count * (nuint)stride * sizeof(float));
        for (int row = 0; row < count; row++)
            TStorage.Widen(rows.OutputGradient + (long)(first + row) * outputs, gradient + (long)row * stride, outputs);
    }

    private static void AddRows(float* gradient, int rowCount, int stride, float* sums, int count)
    {
        for (int row = 0; row < rowCount; row++)
        {
            for (int i = 0; i < count; i++)
                sums[i] += gradient[(long)row * stride + i];
        }
    }
}
