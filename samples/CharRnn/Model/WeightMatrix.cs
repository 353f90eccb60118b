using System.Numerics.Tensors;
using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>How the matrices of a model are kept.</summary>
internal enum WeightForm
{
    F32,
    Int8,
    U4,
    U4Gptq,
}

/// <summary>y = x W^T + b for rows x and a matrix W [outputs, inputs] in one of the forms.</summary>
internal abstract class WeightMatrix
{
    // Inputs that share a scale; at most, for the number of inputs must be a multiple.
    private const int GroupSize = 32;

    /// <summary>The bytes of the matrix, scales included.</summary>
    public abstract long ByteCount { get; }

    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">Receives [rows, outputs].</param>
    public abstract void Multiply(ReadOnlySpan<float> x, Span<float> y);

    /// <param name="form">The form.</param>
    /// <param name="layer">Matrix and biases.</param>
    /// <param name="hessian">What the layer's inputs are like, for <see cref="WeightForm.U4Gptq"/>.</param>
    public static WeightMatrix Create(WeightForm form, LinearLayer layer, GptqHessian? hessian)
    {
        ReadOnlySpan<float> weights = layer.Weights.Values;
        (int outputs, int inputs, float[] biases) = (layer.OutputCount, layer.InputCount, layer.Biases.Values);
        return form switch
        {
            WeightForm.Int8 => new EightBits(Int8Weights.Pack(weights, outputs, inputs), biases),
            WeightForm.U4 => new FourBits(QuantizedWeights.Pack(weights, outputs, inputs, FourBitFormat(inputs)), biases),
            WeightForm.U4Gptq => new FourBits(QuantizedWeights.PackGptq(weights, outputs, inputs, FourBitFormat(inputs), hessian!), biases),
            _ => new Floats(layer),
        };
    }

    private static QuantizationFormat FourBitFormat(int inputCount)
    {
        int size = Math.Min(GroupSize, inputCount);
        while (inputCount % size != 0)
            size--;
        return new QuantizationFormat(QuantizedType.U4, size);
    }

    private sealed class Floats(LinearLayer layer) : WeightMatrix
    {
        public override long ByteCount => layer.Weights.Values.LongLength * sizeof(float);

        public override void Multiply(ReadOnlySpan<float> x, Span<float> y)
        {
            if (x.Length > layer.InputCount)
            {
                layer.Forward(x, y);
                return;
            }
            // For a single row, products that read each weight once and rearrange nothing.
            for (int output = 0; output < y.Length; output++)
                y[output] = layer.Biases.Values[output] + TensorPrimitives.Dot(x, layer.Weights.Values.AsSpan(output * layer.InputCount, layer.InputCount));
        }
    }

    private sealed class EightBits(Int8Weights weights, float[] biases) : WeightMatrix
    {
        public override long ByteCount => weights.ByteCount;

        public override void Multiply(ReadOnlySpan<float> x, Span<float> y) => Int8Decomposition.Multiply(x, weights, y, new() { Bias = biases });
    }

    private sealed class FourBits(QuantizedWeights weights, float[] biases) : WeightMatrix
    {
        public override long ByteCount => weights.ByteCount;

        public override void Multiply(ReadOnlySpan<float> x, Span<float> y) => MixedPrecisionGemm.Multiply(x, weights, y, new() { Bias = biases });
    }
}
