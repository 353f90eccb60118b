using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.Softmax;

namespace Kernels.Gpu;

/// <summary>How the work is cut into groups. Untuned: no GPU has been measured.</summary>
/// <param name="GroupSize">Threads of a group: a power of two, at most <see cref="GpuGroup.MaxSize"/>.</param>
/// <param name="ChunkLength">Rows longer than this are cut into chunks of this many elements. It does not depend on the number of rows, and so neither do
/// results.</param>
/// <param name="ChunkCapacity">The number of chunks whose sums the scratch memory holds; more rows than that take several launches.</param>
internal readonly record struct SoftmaxGpuLaunch(int GroupSize, int ChunkLength, int ChunkCapacity)
{
    // 64 elements for each thread, so that reading outweighs the log2(256) = 8 rounds of merging.
    private const int ElementsPerThread = 64;

    public static SoftmaxGpuLaunch For(Accelerator accelerator)
    {
        const int chunkLength = ElementsPerThread * GpuGroup.MaxSize;
        // Enough for the longest row there can be.
        return new SoftmaxGpuLaunch(GpuGroup.SizeOn(accelerator), chunkLength, int.MaxValue / chunkLength + 1);
    }
}

/// <summary>The kernels of one element type on one device.</summary>
internal interface ISoftmaxGpuProgram<T> where T : unmanaged
{
    /// <summary>Queues the launches of one call. The arguments were checked.</summary>
    void Run(SoftmaxOperation operation, GpuBuffer<T> logits, GpuBuffer<T> output, int rowCount, SoftmaxGpuRows rows);

    /// <summary>Queues the launch of one gradient. The arguments were checked.</summary>
    void RunGradient(bool isLog, GpuBuffer<T> outputGradient, GpuBuffer<T> result, GpuBuffer<T> logitGradient, int rowCount, int rowLength, float scale);
}

/// <inheritdoc cref="ISoftmaxGpuProgram{T}"/>
internal sealed class SoftmaxGpuProgram<T, TStorage, TElement>(Accelerator accelerator, SoftmaxGpuLaunch launch, ArrayView<ExtendedSum> sums)
    : ISoftmaxGpuProgram<T>
    where T : unmanaged where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
{
    private readonly Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<TStorage>, SoftmaxGpuRows>> _logSumExps =
        new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, ArrayView<TStorage>, SoftmaxGpuRows>(SoftmaxGpuKernels.RowLogSumExps<TStorage, TElement>));

    private readonly Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<ExtendedSum>, SoftmaxGpuRows, long, int, int>> _sumChunks =
        new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, ArrayView<ExtendedSum>, SoftmaxGpuRows, long, int, int>(
        SoftmaxGpuKernels.SumChunks<TStorage, TElement>));

    private readonly Lazy<Action<KernelConfig, ArrayView<ExtendedSum>, int>> _mergeChunks =
        new(() => accelerator.LoadStreamKernel<ArrayView<ExtendedSum>, int>(SoftmaxGpuKernels.MergeChunks));

    private readonly Lazy<Action<KernelConfig, ArrayView<ExtendedSum>, ArrayView<TStorage>, long, int>> _chunkLogSumExps =
        new(() => accelerator.LoadStreamKernel<ArrayView<ExtendedSum>, ArrayView<TStorage>, long, int>(SoftmaxGpuKernels.ChunkLogSumExps<TStorage, TElement>));

    private readonly Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<TStorage>, ArrayView<TStorage>, int, float>> _gradients =
        Gradients<SoftmaxGpuProbabilityGradient>(accelerator), _logGradients = Gradients<SoftmaxGpuLogGradient>(accelerator);

    private readonly OutputKernels _probabilities = OutputKernels.Of<SoftmaxGpuProbabilities>(accelerator);
    private readonly OutputKernels _logProbabilities = OutputKernels.Of<SoftmaxGpuLogProbabilities>(accelerator);

    public void Run(SoftmaxOperation operation, GpuBuffer<T> logits, GpuBuffer<T> output, int rowCount, SoftmaxGpuRows rows)
    {
        ArrayView<TStorage> source = logits.View<TStorage>(), destination = output.View<TStorage>();
        if (rows.RowLength > launch.ChunkLength)
            RunChunked(operation, source, destination, rowCount, rows);
        else if (operation == SoftmaxOperation.LogSumExp)
            _logSumExps.Value(Groups(rowCount), source, destination, rows);
        else
            OutputOf(operation).Rows.Value(Groups(rowCount), source, destination, rows);
    }

    public void RunGradient(
        bool isLog, GpuBuffer<T> outputGradient, GpuBuffer<T> result, GpuBuffer<T> logitGradient, int rowCount, int rowLength, float scale) =>
        (isLog ? _logGradients : _gradients).Value(
            Groups(rowCount), outputGradient.View<TStorage>(), result.View<TStorage>(), logitGradient.View<TStorage>(), rowLength, scale);

    private void RunChunked(SoftmaxOperation operation, ArrayView<TStorage> logits, ArrayView<TStorage> output, int rowCount, SoftmaxGpuRows rows)
    {
        int chunksPerRow = (rows.RowLength - 1) / launch.ChunkLength + 1;
        int rowsPerLaunch = launch.ChunkCapacity / chunksPerRow;
        for (int first = 0; first < rowCount; first += rowsPerLaunch)
        {
            int count = Math.Min(rowsPerLaunch, rowCount - first);
            KernelConfig chunks = Groups(count * chunksPerRow);
            _sumChunks.Value(chunks, logits, sums, rows, first, launch.ChunkLength, chunksPerRow);
            if (operation == SoftmaxOperation.LogSumExp)
            {
                _chunkLogSumExps.Value(Groups(count), sums, output, first, chunksPerRow);
                continue;
            }
            _mergeChunks.Value(Groups(count), sums, chunksPerRow);
            OutputOf(operation).Chunks.Value(chunks, logits, output, sums, rows, first, launch.ChunkLength, chunksPerRow);
        }
    }

    private static Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<TStorage>, ArrayView<TStorage>, int, float>> Gradients<TGradient>(
        Accelerator accelerator) where TGradient : struct, ISoftmaxGpuGradient =>
        new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, ArrayView<TStorage>, ArrayView<TStorage>, int, float>(
            SoftmaxGpuGradientKernels.Rows<TStorage, TElement, TGradient>));

    private OutputKernels OutputOf(SoftmaxOperation operation) => operation == SoftmaxOperation.Probabilities ? _probabilities : _logProbabilities;

    private KernelConfig Groups(int count) => new(count, launch.GroupSize);

    private sealed record OutputKernels(
        Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<TStorage>, SoftmaxGpuRows>> Rows,
        Lazy<Action<KernelConfig, ArrayView<TStorage>, ArrayView<TStorage>, ArrayView<ExtendedSum>, SoftmaxGpuRows, long, int, int>> Chunks)
    {
        public static OutputKernels Of<TOutput>(Accelerator accelerator) where TOutput : struct, ISoftmaxGpuOutput => new(
            new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, ArrayView<TStorage>, SoftmaxGpuRows>(
            SoftmaxGpuKernels.Rows<TStorage, TElement, TOutput>)),
            new(() => accelerator.LoadStreamKernel<ArrayView<TStorage>, ArrayView<TStorage>, ArrayView<ExtendedSum>, SoftmaxGpuRows, long, int, int>(
                SoftmaxGpuKernels.WriteChunks<TStorage, TElement, TOutput>)));
    }
}
