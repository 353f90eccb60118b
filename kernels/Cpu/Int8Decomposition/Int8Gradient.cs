using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// Gradients of y = x W^T + b in float, with W as the integers stand for it. Rows come in blocks; a block's gradient of the outputs is widened once, padded with zeros to whole
/// panels, and the inputs are spread over the threads.
/// </summary>
internal static unsafe class Int8Gradient<T, TStorage>
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int BlockRows = Int8DecompositionTuning.GradientRows, Columns = Int8DecompositionTuning.GradientColumns;

    public static void Run(in Int8GradientRows<T> rows, int threads, CancellationToken cancellation)
    {
        Int8WeightsLayout layout = rows.Weights.Layout;
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
            if (Vector512.IsHardwareAccelerated)
                RunBlock<Simd512<float>, Vector512<float>>(rows, first, count, gradient, stride, threads, cancellation);
            else if (Vector256.IsHardwareAccelerated)
                RunBlock<Simd256<float>, Vector256<float>>(rows, first, count, gradient, stride, threads, cancellation);
            else
                RunBlock<Simd128<float>, Vector128<float>>(rows, first, count, gradient, stride, threads, cancellation);
            if (rows.BiasGradient != null)
                AddRows(gradient, count, stride, rows.BiasGradient, layout.OutputCount);
        }
    }

    private static void RunBlock<TSimd, V>(in Int8GradientRows<T> rows, int first, int count, float* gradient, int stride, int threads, CancellationToken cancellation)
        where TSimd : struct, ISimd<V, float>
        where V : unmanaged
    {
        var job = new Int8GradientJob<T, TStorage, TSimd, V>(rows, first, count, gradient, stride);
        RangeRunner.Run(job, (rows.Weights.Layout.InputCount + Columns - 1) / Columns, grain: 1, threads, cancellation);
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
