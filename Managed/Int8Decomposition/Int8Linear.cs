using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// A linear layer y = x W^T + b with weights in eight bits: LLM.int8() forward, and the gradients by which layers below it, adapters beside it, and its bias
/// are trained. Immutable: any number of threads may use it at a time.
/// </summary>
/// <remarks>
/// Takes one byte for each weight and 16 for each output. The layer owns nothing that must be disposed: its <see cref="Weights"/> are their owner's, or freed
/// as garbage.
/// </remarks>
public sealed class Int8Linear
{
    private readonly float[] _bias;

    /// <summary>A layer of packed weights.</summary>
    /// <param name="weights">W, [outputs, inputs].</param>
    /// <param name="bias">b, [outputs], copied; empty (the default) for none.</param>
    /// <param name="threshold">See <see cref="Int8DecompositionOptions.Threshold"/>.</param>
    /// <param name="outliers">See <see cref="Int8DecompositionOptions.Outliers"/>.</param>
    /// <exception cref="ArgumentException">The bias has another number of elements, or an option is not defined.</exception>
    public Int8Linear(
        Int8Weights weights, ReadOnlySpan<float> bias = default, float threshold = Int8DecompositionOptions.DefaultThreshold,
        OutlierScope outliers = OutlierScope.PerRow)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Check.ExactlyOrEmpty(bias.Length, weights.OutputCount, nameof(bias));
        Int8DecompositionChecks.Threshold(threshold, nameof(threshold));
        Check.Defined(outliers, nameof(outliers));
        Weights = weights;
        _bias = bias.ToArray();
        Threshold = threshold;
        Outliers = outliers;
    }

    /// <summary>The packed weights W, [outputs, inputs].</summary>
    public Int8Weights Weights { get; }

    /// <summary>b, or empty.</summary>
    public ReadOnlySpan<float> Bias => _bias;

    /// <summary>Activations of this magnitude and above are multiplied in float.</summary>
    public float Threshold { get; }

    /// <summary>Outliers element by element, or columns united over the batch.</summary>
    public OutlierScope Outliers { get; }

    /// <summary>output = input W^T + b, as <see cref="Int8Decomposition.Multiply{T}"/> computes it.</summary>
    /// <param name="input">x, [m, inputs].</param>
    /// <param name="output">y, [m, outputs]; at least that many elements.</param>
    /// <param name="options">How to run.</param>
    public void Forward<T>(ReadOnlySpan<T> input, Span<T> output, KernelOptions options = default) where T : unmanaged =>
        Int8Decomposition.Multiply(input, Weights, output, new() { Threshold = Threshold, Outliers = Outliers, Bias = _bias, Kernel = options });

    /// <summary>The gradients of a loss with respect to input, weights and bias, in float arithmetic with the dequantised weights.</summary>
    /// <remarks>
    /// inputGradient = outputGradient W; weightGradient = outputGradient^T input, for the float weights that a trainer keeps beside the layer; biasGradient =
    /// sum of outputGradient over rows. Sums are in float, of 96 rows at a time for the weights. Results are bit-identical for every number of threads. O(m n
    /// k) for each of the first two.
    /// </remarks>
    /// <param name="outputGradient">dy, [m, outputs].</param>
    /// <param name="input">x, [m, inputs]; may be empty where no gradient of the weights is wanted.</param>
    /// <param name="inputGradient">dx, [m, inputs]; empty if not wanted.</param>
    /// <param name="weightGradient">dW, [outputs, inputs]; empty if not wanted.</param>
    /// <param name="biasGradient">db, [outputs]; empty if not wanted.</param>
    /// <param name="options">How to run; the variant is a managed one of registers: these are products of floats.</param>
    /// <exception cref="ArgumentException">Sizes disagree, or an output overlaps an input.</exception>
    public unsafe void Backward<T>(
        ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> input, Span<T> inputGradient, Span<float> weightGradient = default, Span<float> biasGradient = default,
        KernelOptions options = default)
        where T : unmanaged
    {
        var problem = new Int8GradientProblem<T>(Weights, outputGradient, input, inputGradient, weightGradient, biasGradient, options);
        IInt8GradientBackend<T> backend = Int8DecompositionVariants<T>.Backward.Select(options);
        using PackedLease lease = Weights.Acquire();
        fixed (T* gradient = outputGradient, activations = input, result = inputGradient)
        fixed (float* weights = weightGradient, bias = biasGradient)
        {
            var rows = new Int8GradientRows<T>
            {
                RowCount = problem.RowCount,
                Weights = new Int8WeightsRows(Weights),
                OutputGradient = gradient,
                Activations = activations,
                InputGradient = result,
                WeightGradient = weights,
                BiasGradient = bias,
            };
            backend.Backward(rows, options);
        }
    }

    /// <summary>
    /// Writes layers to a safetensors file in the layout of bitsandbytes' Linear8bitLt: weight, SCB, weight_format, bias, each behind the layer's name and a
    /// point.
    /// </summary>
    /// <param name="path">Where the file will stand; it appears whole or not at all.</param>
    /// <param name="layers">Layers by name, such as <c>model.layers.0.self_attn.q_proj</c>; an empty name stands for a file of one layer.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Int8Linear> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Int8LinearFile.Save(path, layers);
    }

    /// <summary>Reads a layer that this library or bitsandbytes has written.</summary>
    /// <param name="file">An open file.</param>
    /// <param name="name">The layer's name, without the point; empty in a file of one layer.</param>
    /// <param name="threshold">See <see cref="Int8DecompositionOptions.Threshold"/>: it is no part of the file.</param>
    /// <param name="outliers">See <see cref="Int8DecompositionOptions.Outliers"/>.</param>
    /// <exception cref="TensorFileException">A tensor is missing, or has another type, shape or content than it should: a layer that is not quantised, for
    /// example.</exception>
    public static Int8Linear Load(
        SafetensorsReader file, string name = "", float threshold = Int8DecompositionOptions.DefaultThreshold, OutlierScope outliers = OutlierScope.PerRow)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(name);
        return Int8LinearFile.Load(new LayerTensors(file.FileName, tensor => file.TryFind(tensor, out _) ? file : null), name, threshold, outliers);
    }

    /// <summary>Reads a layer of a checkpoint, whose tensors may lie in different shards.</summary>
    /// <param name="files">Open files.</param>
    /// <param name="name">The layer's name, without the point.</param>
    /// <param name="threshold">See <see cref="Int8DecompositionOptions.Threshold"/>: it is no part of the files.</param>
    /// <param name="outliers">See <see cref="Int8DecompositionOptions.Outliers"/>.</param>
    /// <exception cref="TensorFileException">A tensor is missing, or has another type, shape or content than it should, or a shard is not there.</exception>
    public static Int8Linear Load(
        SafetensorsCheckpoint files, string name = "", float threshold = Int8DecompositionOptions.DefaultThreshold, OutlierScope outliers = OutlierScope.PerRow)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(name);
        return Int8LinearFile.Load(new LayerTensors(files.FileName, tensor => files.TryFind(tensor, out SafetensorsReader? file) ? file : null), name,
            threshold, outliers);
    }
}
