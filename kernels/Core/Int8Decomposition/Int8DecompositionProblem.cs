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
        Int8DecompositionChecks.Room(output.Length, written, OutputName);
        Output = output[..(int)written];
        CheckOptions(options, weights.OutputCount);
        Int8DecompositionChecks.Disjoint<T, T>(activations, Output, ActivationsName, OutputName);
        Int8DecompositionChecks.Disjoint<float, T>(options.Bias, Output, nameof(options.Bias), OutputName);
        Activations = activations;
        Weights = weights;
        Options = options;
    }

    private static void CheckOptions(in Int8DecompositionOptions options, int outputCount)
    {
        Int8DecompositionChecks.Threshold(options.Threshold, nameof(options.Threshold));
        if (!Enum.IsDefined(options.Outliers))
            throw new ArgumentOutOfRangeException(nameof(options.Outliers), options.Outliers, "no such scope");
        if (!options.Bias.IsEmpty)
            Int8DecompositionChecks.Length(options.Bias.Length, outputCount, nameof(options.Bias));
        Int8DecompositionChecks.Kernel(options.Kernel);
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
        Int8DecompositionChecks.Room(products.Length, written, ProductsName);
        Products = products[..(int)written];
        Int8DecompositionChecks.Kernel(options);
        Int8DecompositionChecks.Disjoint<sbyte, int>(values, Products, ValuesName, ProductsName);
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
            throw new ArgumentOutOfRangeException(ValuesName, sbyte.MinValue, $"sums of {weights.InputCount} products may exceed 32 bits where values are -128");
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
        Int8DecompositionChecks.Kernel(options);
    }

    /// <summary>One set of outputs: values as large as the matrix, and as many largest magnitudes as there are rows or columns.</summary>
    public static void CheckOutput(ReadOnlySpan<T> matrix, ReadOnlySpan<sbyte> values, ReadOnlySpan<float> absMax, int absMaxCount, string valuesName, string absMaxName)
    {
        Int8DecompositionChecks.Length(values.Length, matrix.Length, valuesName);
        Int8DecompositionChecks.Length(absMax.Length, absMaxCount, absMaxName);
        Int8DecompositionChecks.Disjoint<T, sbyte>(matrix, values, MatrixName, valuesName);
        Int8DecompositionChecks.Disjoint<T, float>(matrix, absMax, MatrixName, absMaxName);
        Int8DecompositionChecks.Disjoint<sbyte, float>(values, absMax, valuesName, absMaxName);
    }
}

/// <summary>The gradients of a layer, with every argument checked. Outputs that are empty are not wanted.</summary>
internal readonly ref struct Int8GradientProblem<T> where T : unmanaged
{
    private const string OutputGradientName = "outputGradient", InputName = "input", InputGradientName = "inputGradient", WeightGradientName = "weightGradient", BiasGradientName = "biasGradient";

    public readonly int RowCount;

    public Int8GradientProblem(
        Int8Weights weights, ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> input, ReadOnlySpan<T> inputGradient, ReadOnlySpan<float> weightGradient, ReadOnlySpan<float> biasGradient,
        in KernelOptions options)
    {
        Int8DecompositionChecks.ElementType<T>();
        RowCount = Int8DecompositionChecks.RowCount(outputGradient.Length, weights.OutputCount, OutputGradientName, OutputGradientName);
        long inputs = (long)RowCount * weights.InputCount;
        if (!input.IsEmpty || !weightGradient.IsEmpty)
            Int8DecompositionChecks.Length(input.Length, inputs, InputName);
        Wanted(inputGradient.Length, inputs, InputGradientName);
        Wanted(weightGradient.Length, (long)weights.OutputCount * weights.InputCount, WeightGradientName);
        Wanted(biasGradient.Length, weights.OutputCount, BiasGradientName);
        Int8DecompositionChecks.Kernel(options);
        CheckDisjoint(outputGradient, inputGradient, weightGradient, biasGradient, OutputGradientName);
        CheckDisjoint(input, inputGradient, weightGradient, biasGradient, InputName);
        Int8DecompositionChecks.Disjoint<T, float>(inputGradient, weightGradient, InputGradientName, WeightGradientName);
        Int8DecompositionChecks.Disjoint<T, float>(inputGradient, biasGradient, InputGradientName, BiasGradientName);
        Int8DecompositionChecks.Disjoint<float, float>(weightGradient, biasGradient, WeightGradientName, BiasGradientName);
    }

    private static void Wanted(int available, long needed, string name)
    {
        if (available != 0)
            Int8DecompositionChecks.Length(available, needed, name);
    }

    private static void CheckDisjoint(
        ReadOnlySpan<T> source, ReadOnlySpan<T> inputGradient, ReadOnlySpan<float> weightGradient, ReadOnlySpan<float> biasGradient, string name)
    {
        Int8DecompositionChecks.Disjoint<T, T>(source, inputGradient, name, InputGradientName);
        Int8DecompositionChecks.Disjoint<T, float>(source, weightGradient, name, WeightGradientName);
        Int8DecompositionChecks.Disjoint<T, float>(source, biasGradient, name, BiasGradientName);
    }
}
