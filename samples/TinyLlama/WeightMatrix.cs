using System.Numerics.Tensors;
using Kernels;

namespace TinyLlama;

/// <summary>How the matrices of the model are kept.</summary>
internal enum WeightKind
{
    F32,
    Int8,
    U4G32,
    U4G32Gptq,
    U4G128,
    U4G128Gptq,

    /// <summary>As the checkpoint stores them: quantised by GPTQ or AWQ, or else f32.</summary>
    Stored,
}

/// <summary>y = x W^T for rows x and a matrix W [outputs, inputs].</summary>
internal abstract class WeightMatrix(int outputCount, int inputCount)
{
    public int InputCount { get; } = inputCount;

    public int OutputCount { get; } = outputCount;

    /// <summary>Bytes that are read for one token.</summary>
    public abstract long ByteCount { get; }

    public abstract void Multiply(ReadOnlySpan<float> x, Span<float> y);

    /// <summary>A layer of that kind.</summary>
    /// <param name="kind">How to keep the weights.</param>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="outputCount">Rows.</param>
    /// <param name="inputCount">Columns.</param>
    /// <param name="hessian">What the inputs of the layer are like, for the kinds that are packed with GPTQ.</param>
    public static WeightMatrix Create(WeightKind kind, ReadOnlyMemory<float> weights, int outputCount, int inputCount, GptqHessian? hessian) => kind switch
    {
        WeightKind.F32 or WeightKind.Stored => new FloatLayer(weights, outputCount, inputCount),
        WeightKind.Int8 => new EightBitLayer(Int8Weights.Pack(weights.Span, outputCount, inputCount)),
        WeightKind.U4G32 => new FourBitLayer(QuantizedWeights.Pack(weights.Span, outputCount, inputCount, Groups(32, inputCount))),
        WeightKind.U4G128 => new FourBitLayer(QuantizedWeights.Pack(weights.Span, outputCount, inputCount, Groups(128, inputCount))),
        WeightKind.U4G32Gptq => new FourBitLayer(QuantizedWeights.PackGptq(weights.Span, outputCount, inputCount, Groups(32, inputCount), hessian!)),
        _ => new FourBitLayer(QuantizedWeights.PackGptq(weights.Span, outputCount, inputCount, Groups(128, inputCount), hessian!)),
    };

    /// <summary>A layer that is quantised already.</summary>
    public static WeightMatrix Create(QuantizedWeights weights) => new FourBitLayer(weights);

    public static bool NeedsCalibration(WeightKind kind) => kind is WeightKind.U4G32Gptq or WeightKind.U4G128Gptq;

    // The largest group not above the one wanted that divides the inputs.
    private static QuantizationFormat Groups(int wanted, int inputCount)
    {
        int size = Math.Min(wanted, inputCount);
        while (inputCount % size != 0)
            size--;
        return new(QuantizedType.U4, size);
    }

    private sealed class FloatLayer(ReadOnlyMemory<float> weights, int outputCount, int inputCount) : WeightMatrix(outputCount, inputCount)
    {
        // Fewer multiplications than this are done before a second thread has woken.
        private const long WorthAThread = 1 << 20;

        public override long ByteCount => (long)weights.Length * sizeof(float);

        public override unsafe void Multiply(ReadOnlySpan<float> x, Span<float> y)
        {
            int rows = x.Length / InputCount, parts = (long)rows * weights.Length < WorthAThread ? 1 : Environment.ProcessorCount;
            fixed (float* from = x, to = y)
            {
                (nint source, nint target) = ((nint)from, (nint)to);
                if (parts == 1)
                    MultiplyPart(source, target, rows, 0, OutputCount);
                else
                    Parallel.For(0, parts, part => MultiplyPart(source, target, rows, OutputCount * part / parts, OutputCount * (part + 1) / parts));
            }
        }

        private unsafe void MultiplyPart(nint x, nint y, int rows, int begin, int end)
        {
            ReadOnlySpan<float> all = weights.Span;
            for (int output = begin; output < end; output++)
            {
                ReadOnlySpan<float> weight = all.Slice(output * InputCount, InputCount);
                for (int row = 0; row < rows; row++)
                    ((float*)y)[row * OutputCount + output] = TensorPrimitives.Dot(new ReadOnlySpan<float>((float*)x + row * InputCount, InputCount), weight);
            }
        }
    }

    private sealed class EightBitLayer(Int8Weights weights) : WeightMatrix(weights.OutputCount, weights.InputCount)
    {
        public override long ByteCount => weights.ByteCount;

        public override void Multiply(ReadOnlySpan<float> x, Span<float> y) =>
            Int8Decomposition.Multiply(x, weights, y, new() { Threshold = Int8DecompositionOptions.DefaultThreshold });
    }

    private sealed class FourBitLayer(QuantizedWeights weights) : WeightMatrix(weights.OutputCount, weights.InputCount)
    {
        public override long ByteCount => weights.ByteCount;

        public override void Multiply(ReadOnlySpan<float> x, Span<float> y) => MixedPrecisionGemm.Multiply(x, weights, y, new());
    }
}
