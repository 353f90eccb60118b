namespace Kernels;

/// <summary>y = W x + b for many rows at once, by one dense product.</summary>
public sealed class LinearLayer
{
    /// <summary>A layer with weights drawn uniformly from +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010) and biases of zero.</summary>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="inputCount">Columns of the weights.</param>
    /// <param name="outputCount">Rows of the weights.</param>
    /// <param name="seed">The seed of the weights.</param>
    public LinearLayer(string name, int inputCount, int outputCount, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputCount);
        InputCount = inputCount;
        OutputCount = outputCount;
        Weights = new RnnParameter($"{name}.weight", outputCount, inputCount);
        Biases = new RnnParameter($"{name}.bias", outputCount);
        Weights.FillUniform(new Random(seed), Math.Sqrt(6.0 / (inputCount + outputCount)));
    }

    /// <summary>Elements of a row of inputs.</summary>
    public int InputCount { get; }

    /// <summary>Elements of a row of outputs.</summary>
    public int OutputCount { get; }

    /// <summary>[outputs, inputs], as torch's Linear keeps them.</summary>
    public RnnParameter Weights { get; }

    /// <summary>[outputs].</summary>
    public RnnParameter Biases { get; }

    /// <summary>Both.</summary>
    public IReadOnlyList<RnnParameter> Parameters => [Weights, Biases];

    /// <summary>Computes the outputs of all rows.</summary>
    /// <param name="inputs">[rows, inputs].</param>
    /// <param name="outputs">Receives [rows, outputs].</param>
    /// <param name="options">Variant, parallelism and cancellation.</param>
    public unsafe void Forward(ReadOnlySpan<float> inputs, Span<float> outputs, KernelOptions options = default)
    {
        int rows = RowsOf(inputs.Length, InputCount, nameof(inputs));
        RnnChecks.Exactly(outputs.Length, (long)rows * OutputCount, nameof(outputs));
        fixed (float* x = inputs, y = outputs, w = Weights.Values, b = Biases.Values)
        {
            Run(new ProductArrays<float>
            {
                RowCount = rows,
                ColumnCount = OutputCount,
                InnerCount = InputCount,
                Left = new(x, InputCount, 1),
                Right = new(w, 1, InputCount),
                Bias = b,
                Result = y,
            }, options);
        }
    }

    /// <summary>Adds to the gradients of the parameters, and writes those by the inputs.</summary>
    /// <param name="inputs">The forward pass's inputs.</param>
    /// <param name="outputGradients">[rows, outputs].</param>
    /// <param name="inputGradients">Receives [rows, inputs]; empty if not wanted.</param>
    /// <param name="options">Variant, parallelism and cancellation.</param>
    public unsafe void Backward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> outputGradients, Span<float> inputGradients, KernelOptions options = default)
    {
        int rows = RowsOf(inputs.Length, InputCount, nameof(inputs));
        RnnChecks.Exactly(outputGradients.Length, (long)rows * OutputCount, nameof(outputGradients));
        RnnChecks.ExactlyOrEmpty(inputGradients.Length, inputs.Length, nameof(inputGradients));
        fixed (float* x = inputs, gy = outputGradients, gx = inputGradients, w = Weights.Values, gw = Weights.Gradients)
        {
            // dW += gy^T x, summed over the rows; dx = gy W.
            Run(new ProductArrays<float>
            {
                RowCount = OutputCount,
                ColumnCount = InputCount,
                InnerCount = rows,
                Left = new(gy, 1, OutputCount),
                Right = new(x, InputCount, 1),
                Result = gw,
                Accumulates = true,
            }, options);
            if (!inputGradients.IsEmpty)
            {
                Run(new ProductArrays<float>
                {
                    RowCount = rows,
                    ColumnCount = InputCount,
                    InnerCount = OutputCount,
                    Left = new(gy, OutputCount, 1),
                    Right = new(w, InputCount, 1),
                    Result = gx,
                }, options);
            }
        }
        for (int row = 0; row < rows; row++)
            RowSums.Add(Biases.Gradients, outputGradients.Slice(row * OutputCount, OutputCount));
    }

    private static void Run(in ProductArrays<float> product, in KernelOptions options)
    {
        if (product.RowCount > 0)
            ParaRnnVariants<float>.Table.Select(options).Multiply(product, options);
    }

    private static int RowsOf(int length, int rowLength, string name) => length % rowLength == 0
        ? length / rowLength
        : throw new ArgumentException($"{length} elements are no whole number of rows of {rowLength}", name);
}
