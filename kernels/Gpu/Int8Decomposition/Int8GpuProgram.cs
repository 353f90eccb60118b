using ILGPU;
using ILGPU.Runtime;

namespace Kernels.Gpu;

/// <summary>The kernels of one element type on one device.</summary>
internal interface IInt8GpuProgram<T> where T : unmanaged
{
    /// <summary>Queues the product of a block of rows. The arguments were checked, and the scratch memory holds the block.</summary>
    void Run(GpuBuffer<T> activations, GpuInt8Weights weights, float limit, ArrayView<float> bias, GpuBuffer<T> output, in Int8GpuRows rows, long firstRow,
        int rowCount);
}

/// <inheritdoc cref="IInt8GpuProgram{T}"/>
internal sealed class Int8GpuProgram<T, TStorage, TElement>(Accelerator accelerator) : IInt8GpuProgram<T>
    where T : unmanaged where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
{
    // Up to two tiles of rows the weights' bytes bound the time, and the second reading of them comes from a cache.
    private const int FewRows = 2 * Int8GpuKernels.TileRows;

    private readonly Lazy<Action<KernelConfig, ArrayView<TStorage>, Int8GpuRows, Int8GpuShape, float, long>> _quantize =
        new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, Int8GpuRows, Int8GpuShape, float, long>(Int8GpuQuantizer.Quantize<TStorage, TElement>));

    private readonly Lazy<Action<KernelConfig, ArrayView<TStorage>, Int8GpuRows, Int8GpuShape, float, long>> _listOutliers =
        new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, Int8GpuRows, Int8GpuShape, float, long>(Int8GpuQuantizer.ListOutliers<TStorage, TElement>));

    private readonly Lazy<Action<Index1D, Int8GpuRows, Int8GpuWeightsView, ArrayView<float>, ArrayView<TStorage>, Int8GpuShape, long, int>> _tile =
        new(() => accelerator.LoadAutoGroupedStreamKernel<Index1D, Int8GpuRows, Int8GpuWeightsView, ArrayView<float>, ArrayView<TStorage>, Int8GpuShape, long,
            int>(
            Int8GpuKernels.Tile<TStorage, TElement>));

    private readonly Lazy<Action<KernelConfig, Int8GpuRows, Int8GpuWeightsView, ArrayView<float>, ArrayView<TStorage>, Int8GpuShape, long, int>> _rows =
        new(() => accelerator.LoadStreamKernel<Int8GpuRows, Int8GpuWeightsView, ArrayView<float>, ArrayView<TStorage>, Int8GpuShape, long, int>(
        Int8GpuKernels.Rows<TStorage, TElement>));

    public void Run(GpuBuffer<T> activations, GpuInt8Weights weights, float limit, ArrayView<float> bias, GpuBuffer<T> output, in Int8GpuRows rows,
        long firstRow, int rowCount)
    {
        Int8GpuShape shape = weights.Shape;
        var groupPerRow = new KernelConfig(rowCount, GpuGroup.SizeOn(accelerator));
        _quantize.Value(groupPerRow, activations.View<TStorage>(), rows, shape, limit, firstRow);
        _listOutliers.Value(groupPerRow, activations.View<TStorage>(), rows, shape, limit, firstRow);
        int tileRows = (rowCount + Int8GpuKernels.TileRows - 1) / Int8GpuKernels.TileRows;
        if (rowCount > FewRows)
        {
            int threads = tileRows * shape.PanelCount * (Int8GpuShape.PanelColumns / Int8GpuKernels.TileColumns);
            _tile.Value(threads, rows, weights.View, bias, output.View<TStorage>(), shape, firstRow, rowCount);
            return;
        }
        int groupSize = GpuGroup.SizeOn(accelerator), lanes = Math.Min(Int8GpuKernels.RowLanes, groupSize);
        int groups = shape.PanelCount * (Int8GpuShape.PanelColumns / lanes) * tileRows;
        _rows.Value(new KernelConfig(groups, groupSize), rows, weights.View, bias, output.View<TStorage>(), shape, firstRow, rowCount);
    }
}
