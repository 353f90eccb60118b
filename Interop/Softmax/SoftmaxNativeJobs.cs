using Kernels.Core.Threading;
using Kernels.Native.Library;

namespace Kernels.Native.Softmax;

/// <summary>Whole rows.</summary>
internal unsafe struct NativeRowsJob(int isa, NativeElementType type, NativeSoftmaxRows* rows) : IRangeJob
{
    public readonly void Run(long begin, long end) => NativeKernels.Check(SoftmaxNativeMethods.Compute(isa, type, rows, begin, end));
}

/// <summary>Columns of an axis that is not the last: the items are the tiles of all outer slabs.</summary>
internal unsafe struct NativeColumnsJob(int isa, NativeElementType type, NativeSoftmaxRows* rows, long tileLength) : IRangeJob
{
    private readonly long TilesPerSlab => (rows->InnerCount + tileLength - 1) / tileLength;

    public readonly long TileCount => rows->OuterCount * TilesPerSlab;

    public readonly void Run(long begin, long end) => NativeKernels.Check(SoftmaxNativeMethods.Compute(isa, type, rows, FirstColumn(begin), FirstColumn(end)));

    // Columns are numbered through the slabs; the last tile of a slab may be narrower.
    private readonly long FirstColumn(long tile) => tile / TilesPerSlab * rows->InnerCount + tile % TilesPerSlab * tileLength;
}

/// <summary>The first pass over one long row: the items are its chunks.</summary>
internal unsafe struct NativePartialSumJob(int isa, NativeElementType type, NativeSoftmaxRows* rows, long row, long chunk, NativeSoftmaxSum* parts) : IRangeJob
{
    public readonly void Run(long begin, long end)
    {
        for (long i = begin; i < end; i++)
        {
            long stop = Math.Min((i + 1) * chunk, rows->RowLength);
            NativeKernels.Check(SoftmaxNativeMethods.PartialSum(isa, type, rows, row, i * chunk, stop, parts + i));
        }
    }
}

/// <summary>The second pass over one long row: the items are its chunks.</summary>
internal unsafe struct NativeNormalizeJob(int isa, NativeElementType type, NativeSoftmaxRows* rows, long row, long chunk, NativeSoftmaxSum* sum) : IRangeJob
{
    public readonly void Run(long begin, long end)
    {
        long stop = Math.Min(end * chunk, rows->RowLength);
        NativeKernels.Check(SoftmaxNativeMethods.Normalize(isa, type, rows, row, begin * chunk, stop, sum));
    }
}

/// <summary>Whole rows of a gradient.</summary>
internal unsafe struct NativeGradientJob(int isa, NativeElementType type, NativeSoftmaxGradientRows* rows) : IRangeJob
{
    public readonly void Run(long begin, long end) => NativeKernels.Check(SoftmaxNativeMethods.Backward(isa, type, rows, begin, end));
}

/// <summary>The largest probabilities of whole rows.</summary>
internal unsafe struct NativeTopKJob(int isa, NativeElementType type, NativeSoftmaxRows* rows, void* values, int* indices, int count) : IRangeJob
{
    public readonly void Run(long begin, long end) => NativeKernels.Check(SoftmaxNativeMethods.TopK(isa, type, rows, begin, end, values, indices, count));
}
