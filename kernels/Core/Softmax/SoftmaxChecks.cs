using Kernels.Core.Checks;

namespace Kernels.Core.Softmax;

/// <summary>The argument checks that the softmax problems share. Every message names the parameter and the value.</summary>
internal static class SoftmaxChecks
{
    public static void ElementType<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(Half) && typeof(T) != typeof(BrainFloat16))
            throw new NotSupportedException($"The element type {typeof(T)} has no softmax kernels: use float, double, Half or Kernels.BrainFloat16.");
    }

    public static SoftmaxShape Rows(long elementCount, int rowLength, string rowLengthName, string logitsName)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rowLength, rowLengthName);
        if (rowLength == 0)
            return elementCount == 0 ? SoftmaxShape.Rows(0, 0)
                : throw new ArgumentException($"rows of length 0 cannot hold the {elementCount} elements of {logitsName}", rowLengthName);
        if (elementCount % rowLength != 0)
            throw new ArgumentException($"{rowLength} does not divide the {elementCount} elements of {logitsName}", rowLengthName);
        long rowCount = elementCount / rowLength;
        if (rowCount > int.MaxValue)
            throw new ArgumentOutOfRangeException(rowLengthName, rowLength, $"{rowCount} rows are more than the {int.MaxValue} of a call");
        return SoftmaxShape.Rows((int)rowCount, rowLength);
    }

    public static SoftmaxShape Axis(long elementCount, ReadOnlySpan<int> dimensions, int axis, string dimensionsName, string logitsName)
    {
        if (axis < -dimensions.Length || axis >= dimensions.Length)
            throw new ArgumentOutOfRangeException(nameof(axis), axis,
                $"an array of {dimensions.Length} dimensions has the axes {-dimensions.Length} to {dimensions.Length - 1}");
        int split = axis < 0 ? axis + dimensions.Length : axis;
        long outer = Product(dimensions[..split], dimensionsName), inner = Product(dimensions[(split + 1)..], dimensionsName);
        int length = (int)Product(dimensions.Slice(split, 1), dimensionsName);
        // Three factors of 31 bits: more than a long holds.
        Int128 product = (Int128)outer * length * inner;
        if (product != elementCount)
            throw new ArgumentException($"dimensions with a product of {product} do not describe the {elementCount} elements of {logitsName}", dimensionsName);
        long stride = length * inner;
        return new SoftmaxShape((int)outer, length, (int)inner, stride, stride);
    }

    private static long Product(ReadOnlySpan<int> dimensions, string name)
    {
        long product = 1;
        foreach (int dimension in dimensions)
        {
            if (dimension < 0)
                throw new ArgumentOutOfRangeException(name, dimension, "a dimension is negative");
            product *= dimension;
            if (product > int.MaxValue)
                throw new ArgumentOutOfRangeException(name, product, "the dimensions' product exceeds what a span can hold");
        }
        return product;
    }

    /// <summary>Rows with gaps between them become one span.</summary>
    public static void Extent(long elementCount, string name)
    {
        if (elementCount > int.MaxValue)
            throw new ArgumentException($"{elementCount} elements, gaps included, are more than the {int.MaxValue} that a span can hold", name);
    }

    /// <summary>In place means: the same first element and the same strides. Every other overlap would feed outputs back as inputs.</summary>
    public static void Overlap<T>(ReadOnlySpan<T> input, ReadOnlySpan<T> output, bool sameStrides, string outputName) where T : unmanaged
    {
        if (!input.Overlaps(output, out int offset))
            return;
        if (offset != 0 || !sameStrides)
            throw new ArgumentException($"the span overlaps an input at an offset of {offset} elements; only an output that is exactly the input (same " +
                $"start and strides) may share its memory", outputName);
    }

    public static void Options<T>(in SoftmaxOptions<T> options, in SoftmaxShape shape, string optionsName) where T : unmanaged
    {
        Scalars<T>(options.Scale, options.SoftCap);
        Check.Kernel(options.Kernel);
        MaskLength(options.AdditiveMask.Length, shape, nameof(options.AdditiveMask));
        MaskLength(options.BooleanMask.Length, shape, nameof(options.BooleanMask));
        if (shape.InnerCount != 1 && (!options.RowLengths.IsEmpty || options.Causal))
            throw new ArgumentException($"{nameof(options.RowLengths)} and {nameof(options.Causal)} need the softmax to run along the last axis", optionsName);
        RowLengths(options.RowLengths, shape);
        CausalQueryCount(options.CausalQueryCount, options.Causal, shape);
    }

    /// <summary>
    /// Scale and cap are numbers of the type that computes: float, except for double. One that is infinite there, or a cap that is 0, would make NaN of finite
    /// logits.
    /// </summary>
    public static void Scalars<T>(double scale, double softCap)
    {
        bool isDouble = typeof(T) == typeof(double);
        double computedScale = isDouble ? scale : (float)scale, computedCap = isDouble ? softCap : (float)softCap;
        if (!double.IsFinite(computedScale))
            throw new ArgumentOutOfRangeException(nameof(SoftmaxOptions<float>.Scale), scale,
                $"a number that is finite as a {(isDouble ? "double" : "float")} is needed");
        if (!double.IsFinite(computedCap) || softCap < 0 || (softCap > 0 && computedCap == 0))
            throw new ArgumentOutOfRangeException(nameof(SoftmaxOptions<float>.SoftCap), softCap,
                $"0, or a number that is above 0 and finite as a {(isDouble ? "double" : "float")}, is needed");
    }

    private static void MaskLength(int length, in SoftmaxShape shape, string name)
    {
        long row = (long)shape.RowLength * shape.InnerCount, all = row * shape.OuterCount;
        if (length != 0 && length != row && length != all)
            throw new ArgumentException($"{length} elements are neither one row ({row}) nor one for each logit ({all})", name);
    }

    private static void RowLengths(ReadOnlySpan<int> lengths, in SoftmaxShape shape)
    {
        if (lengths.IsEmpty)
            return;
        if (lengths.Length != shape.RowCount)
            throw new ArgumentException($"{lengths.Length} lengths for {shape.RowCount} rows", nameof(SoftmaxOptions<float>.RowLengths));
        for (int row = 0; row < lengths.Length; row++)
        {
            if ((uint)lengths[row] > (uint)shape.RowLength)
                throw new ArgumentOutOfRangeException(nameof(SoftmaxOptions<float>.RowLengths), lengths[row],
                    $"the length of row {row} is not within 0 to {shape.RowLength}");
        }
    }

    private static void CausalQueryCount(int queries, bool causal, in SoftmaxShape shape)
    {
        if (queries < 0 || (queries > 0 && (!causal || shape.RowCount % queries != 0)))
            throw new ArgumentOutOfRangeException(nameof(SoftmaxOptions<float>.CausalQueryCount), queries,
                $"the count of queries must divide the {shape.RowCount} rows and needs {nameof(SoftmaxOptions<float>.Causal)}");
    }
}
