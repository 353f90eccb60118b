using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Memory;
using Kernels.Managed;

namespace Kernels;

/// <summary>LLM.int8() (arXiv 2208.07339): products in eight bits with a scale for each row and each output, and outlier columns in float.</summary>
/// <remarks>
/// <para>Quantisation: s = max|x| over a row (or column), q = round(x (127 / s)), ties to even, all in float; s = 0 for a row of zeros, or of outliers alone,
/// and then q = 0. Elements whose magnitude is not below a threshold above 0 are outliers: they do not count for s, and have q = 0. NaN and infinities always
/// are.</para>
/// <para>Element types of activations and outputs: <see cref="float"/>; <see cref="Half"/> and <see cref="BrainFloat16"/> as storage with float arithmetic and
/// one rounding at the end, not by way of each other. Any other type gets a <see cref="NotSupportedException"/>. All matrices are row-major.</para>
/// <para>Integer products are exact on every variant, for values from -128 to 127 and up to 133,144 inputs
/// (<see cref="Int8Weights.LargestInputCount"/>).</para>
/// <para>Nothing is allocated; scratch for min(m, 192) rows is rented from <see cref="System.Buffers.ArrayPool{T}.Shared"/>. Results are bit-identical for
/// every number of threads and, save for <see cref="OutlierScope.BatchColumns"/>, for every batch that a row is in.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written. Outputs may not overlap
/// inputs.</para>
/// </remarks>
public static partial class Int8Decomposition
{
    /// <summary>
    /// output = activations W^T + bias, the whole of LLM.int8() in one call: activations are quantised by rows, multiplied as integers, and dequantised, and
    /// their outliers are multiplied in float with the dequantised weights.
    /// </summary>
    /// <remarks>
    /// <para>output[m, n] = (s[m] / 127 sum over k of q[m, k] w[n, k] + sum over outliers of a[m, k] w[n, k]) absmax[n] / 127 + bias[n], with w the integers of
    /// the weights. Beyond the rounding of activations to eight bits, at most s / 254 each, the error is at most 7 roundings of float, and of an outlier's
    /// term, of c in its row, c + 5.</para>
    /// <para>NaN or an infinity in a row goes through float arithmetic, as an outlier, and does not touch other rows.</para>
    /// <para>Complexity O(m n k). At small m the weights, a byte each, are read once, and that bounds the time.</para>
    /// </remarks>
    /// <param name="activations">[m, k]; k is the weights' <see cref="Int8Weights.InputCount"/> and divides the number of elements, which gives m.</param>
    /// <param name="weights">W, [n, k]. Values of -128, which only <see cref="Int8Weights.FromQuantized"/> takes, are refused above 132,104 inputs, where a sum
    /// could exceed 32 bits.</param>
    /// <param name="output">[m, n]; at least that many elements.</param>
    /// <param name="options">Threshold, scope of outliers, bias, and how to run.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    public static unsafe void Multiply<T>(ReadOnlySpan<T> activations, Int8Weights weights, Span<T> output, Int8DecompositionOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8DecompositionProblem<T>(activations, weights, output, options);
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options.Kernel);
        if (problem.RowCount == 0)
            return;
        using PackedLease lease = weights.Acquire();
        fixed (T* first = problem.Activations, result = problem.Output)
        fixed (float* bias = options.Bias)
        {
            var rows = new Int8DecompositionRows<T>
            {
                RowCount = problem.RowCount,
                Weights = new Int8WeightsRows(weights),
                Limit = AbsMaxRule.Limit(options.Threshold),
                Outliers = options.Outliers,
                Activations = first,
                Output = result,
                Bias = bias,
            };
            backend.Multiply(rows, options.Kernel);
        }
    }

    /// <summary>products = values q^T, exact in 32 bits: the whole range -128..127 on both sides.</summary>
    /// <param name="values">[m, k].</param>
    /// <param name="weights">q, [n, k]; their scales take no part.</param>
    /// <param name="products">[m, n]; at least that many elements.</param>
    /// <param name="options">How to run; the variant is one of the f32 ones.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than 131,071 inputs, and values of -128 that could make a sum exceed 32 bits.</exception>
    public static unsafe void MultiplyInt8(ReadOnlySpan<sbyte> values, Int8Weights weights, Span<int> products, KernelOptions options = default)
    {
        var problem = new Int8ProductProblem(values, weights, products, options);
        IInt8DecompositionBackend<float> backend = Int8DecompositionVariants<float>.Table.Select(options);
        if (problem.RowCount == 0)
            return;
        using PackedLease lease = weights.Acquire();
        fixed (sbyte* first = problem.Values)
        fixed (int* result = problem.Products)
        {
            backend.MultiplyInt8(new Int8ProductRows { RowCount = problem.RowCount, Weights = new Int8WeightsRows(weights), Values = first, Products = result },
                options);
        }
    }

    /// <summary>
    /// Writes the numbers of the columns that hold an element whose magnitude is not below the threshold, ascending, and returns how many they are.
    /// </summary>
    /// <param name="matrix">[m, columnCount].</param>
    /// <param name="columnCount">At least 1.</param>
    /// <param name="threshold">A finite number of at least 0; at 0 only NaN and infinities are outliers.</param>
    /// <param name="columns">Room for <paramref name="columnCount"/> numbers.</param>
    /// <param name="options">How to run.</param>
    public static unsafe int FindOutlierColumns<T>(ReadOnlySpan<T> matrix, int columnCount, float threshold, Span<int> columns, KernelOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8QuantizationProblem<T>(matrix, columnCount, threshold, options);
        columns = Check.Written(columns, columnCount, nameof(columns));
        Check.Disjoint(matrix, columns, nameof(matrix), nameof(columns));
        IInt8DecompositionBackend<T> backend = Int8DecompositionVariants<T>.Table.Select(options);
        using RentedScratch scratch = RentedScratch.Of(columnCount, out byte* hasOutlier);
        fixed (T* source = matrix)
            backend.FindOutlierColumns(Rows(problem.RowCount, columnCount, threshold, source, null, null), hasOutlier, options);
        int count = 0;
        for (int column = 0; column < columnCount; column++)
        {
            if (hasOutlier[column] != 0)
                columns[count++] = column;
        }
        return count;
    }
}
