using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;
using Kernels.Managed;

namespace Kernels;

// The parts of the product, each on its own.
public static partial class Int8Decomposition
{
    /// <summary>Quantises rows: values[i, j] = round(matrix[i, j] (127 / absMax[i])), ties to even.</summary>
    /// <param name="matrix">[m, columnCount].</param>
    /// <param name="columnCount">At least 1.</param>
    /// <param name="values">[m, columnCount].</param>
    /// <param name="absMax">[m]: the largest magnitude of each row, outliers left out.</param>
    /// <param name="threshold">Elements of this magnitude and above are outliers; 0 (the default): only NaN and infinities are.</param>
    /// <param name="options">How to run.</param>
    public static unsafe void QuantizeRows<T>(ReadOnlySpan<T> matrix, int columnCount, Span<sbyte> values, Span<float> absMax, float threshold = 0,
        KernelOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8QuantizationProblem<T>(matrix, columnCount, threshold, options);
        Int8QuantizationProblem<T>.CheckOutput(matrix, ref values, ref absMax, problem.RowCount, nameof(values), nameof(absMax));
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options);
        fixed (T* source = matrix)
        fixed (sbyte* result = values)
        fixed (float* largest = absMax)
            backend.QuantizeRows(Rows(problem.RowCount, columnCount, threshold, source, result, largest), options);
    }

    /// <summary>Quantises columns: values[i, j] = round(matrix[i, j] (127 / absMax[j])), ties to even.</summary>
    /// <param name="matrix">[m, columnCount].</param>
    /// <param name="columnCount">At least 1.</param>
    /// <param name="values">[m, columnCount].</param>
    /// <param name="absMax">[columnCount]: the largest magnitude of each column, outliers left out.</param>
    /// <param name="threshold">Elements of this magnitude and above are outliers; 0 (the default): only NaN and infinities are.</param>
    /// <param name="options">How to run.</param>
    public static unsafe void QuantizeColumns<T>(ReadOnlySpan<T> matrix, int columnCount, Span<sbyte> values, Span<float> absMax, float threshold = 0,
        KernelOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8QuantizationProblem<T>(matrix, columnCount, threshold, options);
        Int8QuantizationProblem<T>.CheckOutput(matrix, ref values, ref absMax, columnCount, nameof(values), nameof(absMax));
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options);
        fixed (T* source = matrix)
        fixed (sbyte* result = values)
        fixed (float* largest = absMax)
            backend.QuantizeColumns(Rows(problem.RowCount, columnCount, threshold, source, result, largest), options);
    }

    /// <summary>Quantises a matrix by rows and by columns: what the gradient of the weights needs of it.</summary>
    /// <param name="matrix">[m, columnCount].</param>
    /// <param name="columnCount">At least 1.</param>
    /// <param name="rowValues">[m, columnCount], by rows.</param>
    /// <param name="rowAbsMax">[m].</param>
    /// <param name="columnValues">[m, columnCount], by columns.</param>
    /// <param name="columnAbsMax">[columnCount].</param>
    /// <param name="threshold">Elements of this magnitude and above are outliers; 0 (the default): only NaN and infinities are.</param>
    /// <param name="options">How to run.</param>
    public static void DoubleQuantize<T>(
        ReadOnlySpan<T> matrix, int columnCount, Span<sbyte> rowValues, Span<float> rowAbsMax, Span<sbyte> columnValues, Span<float> columnAbsMax,
        float threshold = 0,
        KernelOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8QuantizationProblem<T>(matrix, columnCount, threshold, options);
        Int8QuantizationProblem<T>.CheckOutput(matrix, ref rowValues, ref rowAbsMax, problem.RowCount, nameof(rowValues), nameof(rowAbsMax));
        Int8QuantizationProblem<T>.CheckOutput(matrix, ref columnValues, ref columnAbsMax, columnCount, nameof(columnValues), nameof(columnAbsMax));
        Check.Disjoint(rowValues, columnValues, nameof(rowValues), nameof(columnValues));
        QuantizeRows(matrix, columnCount, rowValues, rowAbsMax, threshold, options);
        QuantizeColumns(matrix, columnCount, columnValues, columnAbsMax, threshold, options);
    }

    /// <summary>Undoes <see cref="QuantizeRows{T}"/> but for its roundings: matrix[i, j] = values[i, j] (absMax[i] / 127).</summary>
    /// <param name="values">[m, columnCount].</param>
    /// <param name="columnCount">At least 1.</param>
    /// <param name="absMax">[m]; finite, not negative.</param>
    /// <param name="matrix">[m, columnCount]; at least that many elements.</param>
    /// <param name="options">How to run.</param>
    public static unsafe void Dequantize<T>(ReadOnlySpan<sbyte> values, int columnCount, ReadOnlySpan<float> absMax, Span<T> matrix,
        KernelOptions options = default) where T : unmanaged
    {
        Int8DecompositionChecks.ElementType<T>();
        int rowCount = Int8DecompositionChecks.RowCount(values.Length, columnCount, nameof(values), nameof(columnCount));
        Check.Exactly(absMax.Length, rowCount, nameof(absMax));
        Int8DecompositionChecks.AbsMax(absMax, nameof(absMax));
        matrix = Check.Written(matrix, values.Length, nameof(matrix));
        Check.Disjoint(values, matrix, nameof(values), nameof(matrix));
        Check.Disjoint(absMax, matrix, nameof(absMax), nameof(matrix));
        Check.Kernel(options);
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options);
        fixed (sbyte* source = values)
        fixed (float* largest = absMax)
        fixed (T* result = matrix)
            backend.Dequantize(Rows(rowCount, columnCount, 0, result, source, largest), options);
    }

    /// <summary>output[i, j] = products[i, j] (rowAbsMax[i] / 127) (columnAbsMax[j] / 127) + bias[j], in the roundings of the fused product.</summary>
    /// <param name="products">[m, n], as <see cref="MultiplyInt8"/> gives them.</param>
    /// <param name="rowAbsMax">[m]; finite, not negative.</param>
    /// <param name="columnAbsMax">[n]: of <see cref="Int8Weights.CopyAbsMaxTo"/>, for example.</param>
    /// <param name="output">[m, n]; at least that many elements.</param>
    /// <param name="bias">[n], or empty for none.</param>
    /// <param name="options">How to run.</param>
    public static unsafe void DequantizeProduct<T>(
        ReadOnlySpan<int> products, ReadOnlySpan<float> rowAbsMax, ReadOnlySpan<float> columnAbsMax, Span<T> output, ReadOnlySpan<float> bias = default,
        KernelOptions options = default)
        where T : unmanaged
    {
        Int8DecompositionChecks.ElementType<T>();
        Check.Exactly(products.Length, (long)rowAbsMax.Length * columnAbsMax.Length, nameof(products));
        Int8DecompositionChecks.AbsMax(rowAbsMax, nameof(rowAbsMax));
        Int8DecompositionChecks.AbsMax(columnAbsMax, nameof(columnAbsMax));
        Check.ExactlyOrEmpty(bias.Length, columnAbsMax.Length, nameof(bias));
        Span<T> written = Check.Written(output, products.Length, nameof(output));
        Check.Disjoint(products, written, nameof(products), nameof(output));
        Check.Disjoint(rowAbsMax, written, nameof(rowAbsMax), nameof(output));
        Check.Disjoint(columnAbsMax, written, nameof(columnAbsMax), nameof(output));
        Check.Disjoint(bias, written, nameof(bias), nameof(output));
        Check.Kernel(options);
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options);
        fixed (int* sums = products)
        fixed (float* row = rowAbsMax, column = columnAbsMax, added = bias)
        fixed (T* result = output)
        {
            var rows = new Int8DequantizationRows<T>
            {
                RowCount = rowAbsMax.Length,
                ColumnCount = columnAbsMax.Length,
                Products = sums,
                RowAbsMax = row,
                ColumnAbsMax = column,
                Bias = added,
                Output = result,
            };
            backend.DequantizeProduct(rows, options);
        }
    }

    private static unsafe Int8QuantizationRows<T> Rows<T>(int rowCount, int columnCount, float threshold, T* matrix, sbyte* values, float* absMax)
        where T : unmanaged => new()
        {
            RowCount = rowCount,
            ColumnCount = columnCount,
            Limit = AbsMaxRule.Limit(threshold),
            Matrix = matrix,
            Values = values,
            AbsMax = absMax,
        };
}
