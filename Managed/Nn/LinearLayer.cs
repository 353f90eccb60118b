using Kernels.Core.Checks;
using Kernels.Core.ParaRnn;
using Kernels.Core.Primitives;
using Kernels.Cpu.Primitives;
using Kernels.Managed;

namespace Kernels.Nn;

/// <summary>
/// y = W x + b for many rows at once, by one dense product; or, in heads, by a block-diagonal one: inputs and each section of the outputs (a recurrent layer's
/// gate) are cut into as many equal parts as there are heads, and a part sees the inputs of its own head only (ParaRNN, arXiv 2510.21450).
/// </summary>
public sealed class LinearLayer
{
    private readonly int _sectionCount;

    /// <summary>A layer with weights drawn uniformly from +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010) and biases of zero.</summary>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="inputCount">Columns of the weights, 1 or more.</param>
    /// <param name="outputCount">Rows of the weights, 1 or more.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <exception cref="ArgumentNullException">There is no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is not positive, or the weights exceed an array.</exception>
    public LinearLayer(string name, int inputCount, int outputCount, int seed)
        : this(name, inputCount, outputCount, sectionCount: 1, headCount: 1, seed)
    {
    }

    /// <summary>A layer in heads, with weights drawn as above, by the inputs and outputs of a head.</summary>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="inputCount">Elements of a row of inputs, a multiple of the heads.</param>
    /// <param name="outputCount">Elements of a row of outputs, a multiple of sections times heads.</param>
    /// <param name="sectionCount">Sections of the outputs, at least 1.</param>
    /// <param name="headCount">Heads, at least 1.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <exception cref="ArgumentNullException">There is no name.</exception>
    /// <exception cref="ArgumentException">A count is not positive or does not divide what it cuts, or the weights exceed an array.</exception>
    public LinearLayer(string name, int inputCount, int outputCount, int sectionCount, int headCount, int seed)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sectionCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headCount);
        if (inputCount % headCount != 0 || outputCount % ((long)sectionCount * headCount) != 0)
            throw new ArgumentException($"{inputCount} inputs and {outputCount} outputs in {sectionCount} sections cannot be cut into {headCount} equal parts",
                nameof(headCount));
        RnnChecks.ArrayLength((long)outputCount * (inputCount / headCount), nameof(outputCount));
        InputCount = inputCount;
        OutputCount = outputCount;
        HeadCount = headCount;
        _sectionCount = headCount == 1 ? 1 : sectionCount;
        Weights = new Parameter($"{name}.weight", outputCount, inputCount / headCount);
        Biases = new Parameter($"{name}.bias", outputCount);
        Weights.FillUniform(new Random(seed), Math.Sqrt(6.0 * headCount / ((long)inputCount + outputCount)));
    }

    /// <summary>Elements of a row of inputs.</summary>
    public int InputCount { get; }

    /// <summary>Elements of a row of outputs.</summary>
    public int OutputCount { get; }

    /// <summary>The blocks that the inputs are cut into; 1 for a dense layer.</summary>
    public int HeadCount { get; }

    /// <summary>[outputs, inputs / heads], without heads as torch's Linear keeps them.</summary>
    public Parameter Weights { get; }

    /// <summary>[outputs].</summary>
    public Parameter Biases { get; }

    /// <summary>Both.</summary>
    public IReadOnlyList<Parameter> Parameters => [Weights, Biases];

    /// <summary>Computes the outputs of all rows.</summary>
    /// <param name="inputs">[rows, inputs].</param>
    /// <param name="outputs">Receives [rows, outputs].</param>
    /// <param name="options">Variant, parallelism and cancellation.</param>
    /// <exception cref="ArgumentException">A length or an option is wrong; nothing has been written.</exception>
    public unsafe void Forward(ReadOnlySpan<float> inputs, Span<float> outputs, KernelOptions options = default)
    {
        int rows = Check.Rows(inputs.Length, InputCount, nameof(inputs));
        outputs = Check.Written(outputs, (long)rows * OutputCount, nameof(outputs));
        Check.Disjoint(inputs, outputs, nameof(inputs), nameof(outputs));
        Check.Kernel(options);
        fixed (float* x = inputs, y = outputs, w = Weights.Values, b = Biases.Values)
        {
            foreach (Block block in Blocks())
            {
                Run(new ProductArrays<float>
                {
                    RowCount = rows,
                    ColumnCount = block.OutputCount,
                    InnerCount = block.InputCount,
                    Left = new(x + block.Input, InputCount, 1),
                    Right = new(w + block.Weight, 1, block.InputCount),
                    Bias = b + block.Output,
                    Result = y + block.Output,
                    ResultStride = OutputCount,
                }, options);
            }
        }
    }

    /// <summary>Adds to the gradients of the parameters, and writes those by the inputs.</summary>
    /// <param name="inputs">The forward pass's inputs.</param>
    /// <param name="outputGradients">[rows, outputs].</param>
    /// <param name="inputGradients">Receives [rows, inputs]; empty if not wanted.</param>
    /// <param name="options">Variant, parallelism and cancellation.</param>
    /// <exception cref="ArgumentException">A length or an option is wrong; nothing has been written.</exception>
    public unsafe void Backward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> outputGradients, Span<float> inputGradients, KernelOptions options = default)
    {
        int rows = Check.Rows(inputs.Length, InputCount, nameof(inputs));
        Check.Exactly(outputGradients.Length, (long)rows * OutputCount, nameof(outputGradients));
        inputGradients = Check.WrittenOrEmpty(inputGradients, inputs.Length, nameof(inputGradients));
        Check.Disjoint(inputs, inputGradients, nameof(inputs), nameof(inputGradients));
        Check.Disjoint(outputGradients, inputGradients, nameof(outputGradients), nameof(inputGradients));
        Check.Kernel(options);
        fixed (float* x = inputs, gy = outputGradients, gx = inputGradients, w = Weights.Values, gw = Weights.Gradients)
        {
            // dW += gy^T x, summed over the rows; dx = gy W, summed over the sections.
            foreach (Block block in Blocks())
            {
                Run(new ProductArrays<float>
                {
                    RowCount = block.OutputCount,
                    ColumnCount = block.InputCount,
                    InnerCount = rows,
                    Left = new(gy + block.Output, 1, OutputCount),
                    Right = new(x + block.Input, InputCount, 1),
                    Result = gw + block.Weight,
                    ResultStride = block.InputCount,
                    Accumulates = true,
                }, options);
                if (inputGradients.IsEmpty)
                    continue;
                Run(new ProductArrays<float>
                {
                    RowCount = rows,
                    ColumnCount = block.InputCount,
                    InnerCount = block.OutputCount,
                    Left = new(gy + block.Output, OutputCount, 1),
                    Right = new(w + block.Weight, block.InputCount, 1),
                    Result = gx + block.Input,
                    ResultStride = InputCount,
                    Accumulates = block.Section > 0,
                }, options);
            }
        }
        for (int row = 0; row < rows; row++)
            RowSums.Add(Biases.Gradients, outputGradients.Slice(row * OutputCount, OutputCount));
    }

    /// <summary>A head's part of a section: its first input, output and weight, and its sizes.</summary>
    private readonly record struct Block(int Section, int Input, int Output, int Weight, int InputCount, int OutputCount);

    private BlockSequence Blocks() => new(this);

    /// <summary>The blocks, section after section; a struct, since a layer allocates nothing in its passes.</summary>
    private struct BlockSequence(LinearLayer layer)
    {
        private int _index = -1;

        public readonly BlockSequence GetEnumerator() => this;

        public readonly Block Current
        {
            get
            {
                int inputs = layer.InputCount / layer.HeadCount, outputs = layer.OutputCount / (layer._sectionCount * layer.HeadCount),
                    head = _index % layer.HeadCount;
                return new(_index / layer.HeadCount, head * inputs, _index * outputs, _index * outputs * inputs, inputs, outputs);
            }
        }

        public bool MoveNext() => ++_index < layer._sectionCount * layer.HeadCount;
    }

    private static void Run(in ProductArrays<float> product, in KernelOptions options)
    {
        if (product.RowCount > 0)
            ParaRnnVariants<float>.Table.Select(options).Multiply(product, options);
    }
}
