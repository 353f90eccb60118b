namespace Kernels.Core.Softmax;

/// <summary>
/// Where the elements of a row-major array stand, seen from the axis of the softmax: element a of row (outer, inner) is at
/// <c>outer * RowStride + a * InnerCount + inner</c>. With the last axis InnerCount is 1 and a row is contiguous.
/// </summary>
internal readonly record struct SoftmaxShape(int OuterCount, int RowLength, int InnerCount, long InputRowStride, long OutputRowStride)
{
    /// <summary>The number of softmax rows.</summary>
    public long RowCount => (long)OuterCount * InnerCount;

    /// <summary>Contiguous rows, one after another.</summary>
    public static SoftmaxShape Rows(int rowCount, int rowLength) => new(rowCount, rowLength, 1, rowLength, rowLength);

    /// <summary>The number of elements from the first to one past the last of the input; 0 if there are none.</summary>
    public long InputExtent => Extent(InputRowStride);

    /// <summary>The same of an output that is shaped like the input.</summary>
    public long OutputExtent => Extent(OutputRowStride);

    private long Extent(long stride) => OuterCount == 0 || RowLength == 0 || InnerCount == 0 ? 0 : (OuterCount - 1) * stride + (long)RowLength * InnerCount;
}
