using ILGPU;
using ILGPU.Runtime;

namespace Kernels.Gpu;

/// <summary>The kernels of one element type on one device.</summary>
internal interface IGemmGpuProgram<T> where T : unmanaged
{
    /// <summary>Queues the product of a block of rows. The arguments were checked, and the scratch memory holds the block.</summary>
    void Run(GpuBuffer<T> activations, GpuQuantizedWeights weights, ArrayView<float> bias, GpuBuffer<T> output, long firstRow, int rowCount);
}

/// <inheritdoc cref="IGemmGpuProgram{T}"/>
internal sealed class GemmGpuProgram<T, TStorage, TElement>(Accelerator accelerator, ArrayView<float> padded) : IGemmGpuProgram<T>
    where T : unmanaged where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
{
    // Up to two tiles of rows the weights' bytes bound the time, and the second reading of them comes from a cache.
    private const int FewRows = 2 * GemmGpuKernels.TileRows;

    private readonly Lazy<Action<Index1D, ArrayView<TStorage>, ArrayView<int>, ArrayView<float>, GemmGpuShape, long, int>> _gather =
        new(() => accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<TStorage>, ArrayView<int>, ArrayView<float>, GemmGpuShape, long, int>(
            GemmGpuKernels.Gather<TStorage, TElement>));

    private readonly Products _u4 = Products.Of<U4GpuFormat>(accelerator), _u8 = Products.Of<U8GpuFormat>(accelerator),
        _codebook = Products.Of<CodebookGpuFormat>(accelerator);

    public void Run(GpuBuffer<T> activations, GpuQuantizedWeights weights, ArrayView<float> bias, GpuBuffer<T> output, long firstRow, int rowCount)
    {
        GemmGpuShape shape = weights.Shape;
        int tileRows = (rowCount + GemmGpuKernels.TileRows - 1) / GemmGpuKernels.TileRows;
        int elements = tileRows * GemmGpuKernels.TileRows * shape.PaddedInputCount;
        ArrayView<float> block = padded.SubView(0, elements);
        _gather.Value(elements, activations.View<TStorage>(), weights.InputOrder, block, shape, firstRow, rowCount);
        Products products = weights.Format.IsCodebook ? _codebook : weights.Format.IsEightBit ? _u8 : _u4;
        ArrayView<Float4> quads = block.Cast<Float4>();
        if (rowCount > FewRows)
        {
            int threads = tileRows * shape.PanelCount * (GemmGpuShape.PanelColumns / GemmGpuKernels.TileColumns);
            products.Tile.Value(threads, quads, weights.View, bias, output.View<TStorage>(), shape, firstRow, rowCount);
            return;
        }
        int groupSize = GpuGroup.SizeOn(accelerator), lanes = Math.Min(GemmGpuKernels.RowLanes, groupSize);
        int groups = shape.PanelCount * GemmGpuShape.PanelColumns / lanes * tileRows;
        products.Rows.Value(new KernelConfig(groups, groupSize), quads, weights.View, bias, output.View<TStorage>(), shape, firstRow, rowCount);
    }

    private sealed record Products(
        Lazy<Action<Index1D, ArrayView<Float4>, GemmGpuWeights, ArrayView<float>, ArrayView<TStorage>, GemmGpuShape, long, int>> Tile,
        Lazy<Action<KernelConfig, ArrayView<Float4>, GemmGpuWeights, ArrayView<float>, ArrayView<TStorage>, GemmGpuShape, long, int>> Rows)
    {
        public static Products Of<TFormat>(Accelerator accelerator) where TFormat : struct, IGemmGpuFormat => new(
            new(() => accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<Float4>, GemmGpuWeights, ArrayView<float>, ArrayView<TStorage>, GemmGpuShape,
                long, int>(
                GemmGpuKernels.Tile<TStorage, TElement, TFormat>)),
            new(() => accelerator.LoadStreamKernel<ArrayView<Float4>, GemmGpuWeights, ArrayView<float>, ArrayView<TStorage>, GemmGpuShape, long, int>(
                GemmGpuKernels.Rows<TStorage, TElement, TFormat>)));
    }
}
