using Kernels.Core.Checks;

namespace Kernels.Core.Int8Decomposition;

/// <summary>A decomposed product of activations and eight-bit weights, with every argument checked: backends trust it.</summary>
internal readonly ref struct Int8DecompositionProblem<T> where T : unmanaged
{
    private const string ActivationsName = "activations", WeightsName = "weights", OutputName = "output";

    public readonly int RowCount;
    public readonly ReadOnlySpan<T> Activations;
    public readonly Int8Weights Weights;
    public readonly Span<T> Output;
    public readonly Int8DecompositionOptions Options;

    public Int8DecompositionProblem(ReadOnlySpan<T> activations, Int8Weights weights, Span<T> output, in Int8DecompositionOptions options)
    {
        Int8DecompositionChecks.ElementType<T>();
        ArgumentNullException.ThrowIfNull(weights, WeightsName);
        RowCount = Int8DecompositionChecks.RowCount(activations.Length, weights.InputCount, ActivationsName, WeightsName);
        long written = (long)RowCount * weights.OutputCount;
        Output = Check.Written(output, written, OutputName);
        CheckOptions(options, weights.OutputCount);
        CheckRange(weights);
        Check.Disjoint(activations, Output, ActivationsName, OutputName);
        Check.Disjoint(options.Bias, Output, nameof(options.Bias), OutputName);
        Activations = activations;
        Weights = weights;
        Options = options;
    }

    // k 127 max|w| <= 2^31 - 1: weights of -128, which no quantiser here makes, leave room for fewer inputs.
    private static void CheckRange(Int8Weights weights)
    {
        if ((long)weights.InputCount * sbyte.MaxValue * weights.LargestMagnitude > int.MaxValue)
            throw new ArgumentOutOfRangeException(WeightsName, sbyte.MinValue,
                $"sums of {weights.InputCount} products may exceed 32 bits where weights are -128");
    }

    private static void CheckOptions(in Int8DecompositionOptions options, int outputCount)
    {
        Int8DecompositionChecks.Threshold(options.Threshold, nameof(options.Threshold));
        Check.Defined(options.Outliers, nameof(options.Outliers));
        Check.ExactlyOrEmpty(options.Bias.Length, outputCount, nameof(options.Bias));
        Check.Kernel(options.Kernel);
    }
}

/// <summary>An integer product of eight-bit values, with every argument checked.</summary>
internal readonly ref struct Int8ProductProblem
{
    private const string ValuesName = "values", WeightsName = "weights", ProductsName = "products";

    public readonly int RowCount;
    public readonly ReadOnlySpan<sbyte> Values;
    public readonly Int8Weights Weights;
    public readonly Span<int> Products;

    public Int8ProductProblem(ReadOnlySpan<sbyte> values, Int8Weights weights, Span<int> products, in KernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(weights, WeightsName);
        RowCount = Int8DecompositionChecks.RowCount(values.Length, weights.InputCount, ValuesName, WeightsName);
        long written = (long)RowCount * weights.OutputCount;
        Products = Check.Written(products, written, ProductsName);
        Check.Kernel(options);
        Check.Disjoint(values, Products, ValuesName, ProductsName);
        CheckRange(values, weights);
        Values = values;
        Weights = weights;
    }

    // k max|a| max|w| <= 2^31 - 1. With so many inputs that this is in question, a value of -128 may break it.
    private static void CheckRange(ReadOnlySpan<sbyte> values, Int8Weights weights)
    {
        if (weights.InputCount <= Int8WeightsLayout.LargestFullRangeInputCount)
            return;
        int largest = values.Contains(sbyte.MinValue) ? -sbyte.MinValue : sbyte.MaxValue;
        if ((long)weights.InputCount * largest * weights.LargestMagnitude > int.MaxValue)
            throw new ArgumentOutOfRangeException(ValuesName, sbyte.MinValue,
                $"sums of {weights.InputCount} products may exceed 32 bits where values are -128");
    }
}

/// <summary>The quantisation of a matrix by rows or by columns, with every argument checked.</summary>
internal readonly ref struct Int8QuantizationProblem<T> where T : unmanaged
{
    private const string MatrixName = "matrix", ColumnCountName = "columnCount";

    public readonly int RowCount;

    public Int8QuantizationProblem(ReadOnlySpan<T> matrix, int columnCount, float threshold, in KernelOptions options)
    {
        Int8DecompositionChecks.ElementType<T>();
        RowCount = Int8DecompositionChecks.RowCount(matrix.Length, columnCount, MatrixName, ColumnCountName);
        Int8DecompositionChecks.Threshold(threshold, nameof(threshold));
        Check.Kernel(options);
    }

    /// <summary>
    /// One set of outputs, cut to what is written: values as large as the matrix, and as many largest magnitudes as there are rows or columns.
    /// </summary>
    public static void CheckOutput(ReadOnlySpan<T> matrix, ref Span<sbyte> values, ref Span<float> absMax, int absMaxCount, string valuesName,
        string absMaxName)
    {
        values = Check.Written(values, matrix.Length, valuesName);
        absMax = Check.Written(absMax, absMaxCount, absMaxName);
        Check.Disjoint(matrix, values, MatrixName, valuesName);
        Check.Disjoint(matrix, absMax, MatrixName, absMaxName);
        Check.Disjoint(values, absMax, valuesName, absMaxName);
    }
}

/// <summary>The gradients of a layer, with every argument checked. Outputs that are empty are not wanted.</summary>
internal readonly ref struct Int8GradientProblem<T> where T : unmanaged
{
    private const string OutputGradientName = "outputGradient", InputName = "input", InputGradientName = "inputGradient", WeightGradientName = "weightGradient",
        BiasGradientName = "biasGradient";

    public readonly int RowCount;

    public Int8GradientProblem(
        Int8Weights weights, ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> input, Span<T> inputGradient, Span<float> weightGradient, Span<float> biasGradient,
        in KernelOptions options)
    {
        Int8DecompositionChecks.ElementType<T>();
        RowCount = Int8DecompositionChecks.RowCount(outputGradient.Length, weights.OutputCount, OutputGradientName, OutputGradientName);
        long inputs = (long)RowCount * weights.InputCount;
        if (!input.IsEmpty || !weightGradient.IsEmpty)
            Check.Exactly(input.Length, inputs, InputName);
        inputGradient = Check.WrittenOrEmpty(inputGradient, inputs, InputGradientName);
        weightGradient = Check.WrittenOrEmpty(weightGradient, (long)weights.OutputCount * weights.InputCount, WeightGradientName);
        biasGradient = Check.WrittenOrEmpty(biasGradient, weights.OutputCount, BiasGradientName);
        Check.Kernel(options);
        CheckDisjoint(outputGradient, inputGradient, weightGradient, biasGradient, OutputGradientName);
        CheckDisjoint(input, inputGradient, weightGradient, biasGradient, InputName);
        Check.Disjoint(inputGradient, weightGradient, InputGradientName, WeightGradientName);
        Check.Disjoint(inputGradient, biasGradient, InputGradientName, BiasGradientName);
        Check.Disjoint(weightGradient, biasGradient, WeightGradientName, BiasGradientName);
    }

    private static void CheckDisjoint(
        ReadOnlySpan<T> source, ReadOnlySpan<T> inputGradient, ReadOnlySpan<float> weightGradient, ReadOnlySpan<float> biasGradient, string name)
    {
        Check.Disjoint(source, inputGradient, name, InputGradientName);
        Check.Disjoint(source, weightGradient, name, WeightGradientName);
        Check.Disjoint(source, biasGradient, name, BiasGradientName);
    }
}
