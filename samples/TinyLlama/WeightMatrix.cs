using Kernels;

namespace TinyLlama;

/// <summary>y = x W^T for rows x and a matrix W [outputs, inputs].</summary>
internal abstract class WeightMatrix(int outputCount, int inputCount)
{
    public int InputCount { get; } = inputCount;

    public int OutputCount { get; } = outputCount;

    /// <summary>Bytes that are read for one token.</summary>
    public abstract long ByteCount { get; }

    public abstract void Multiply(ReadOnlySpan<float> x, Span<float> y);

    /// <summary>Packs a matrix.</summary>
    /// <param name="kind">How to keep the weights, in eight bits or four.</param>
    /// <param name="weights">[outputs, inputs], finite.</param>
    /// <param name="outputCount">Rows.</param>
    /// <param name="inputCount">Columns.</param>
    /// <param name="hessian">What the inputs of the matrix are like, for the kinds that are packed with GPTQ.</param>
    /// <param name="arithmetic">How four bits meet activations.</param>
    public static WeightMatrix Create(WeightKind kind, ReadOnlyMemory<float> weights, int outputCount, int inputCount, GptqHessian? hessian,
        GemmArithmetic arithmetic) => kind switch
        {
            WeightKind.Int8 => new Int8Matrix(Int8Weights.Pack(weights.Span, outputCount, inputCount)),
            WeightKind.U4G32 or WeightKind.U4G128 =>
                new QuantizedMatrix(QuantizedWeights.Pack(weights.Span, outputCount, inputCount, FormatOf(kind, inputCount)), arithmetic),
            _ => new QuantizedMatrix(QuantizedWeights.PackGptq(weights.Span, outputCount, inputCount, FormatOf(kind, inputCount), hessian!), arithmetic),
        };

    public static bool NeedsCalibration(WeightKind kind) => kind is WeightKind.U4G32Gptq or WeightKind.U4G128Gptq;

    // The largest group not above the one wanted that divides the inputs.
    private static QuantizationFormat FormatOf(WeightKind kind, int inputCount)
    {
        int size = Math.Min(kind is WeightKind.U4G32 or WeightKind.U4G32Gptq ? 32 : 128, inputCount);
        while (inputCount % size != 0)
            size--;
        return new(QuantizedType.U4, size);
    }
}

/// <summary>Eight bits, with outliers in float.</summary>
internal sealed class Int8Matrix(Int8Weights weights) : WeightMatrix(weights.OutputCount, weights.InputCount)
{
    public override long ByteCount => weights.ByteCount;

    public override void Multiply(ReadOnlySpan<float> x, Span<float> y) => Int8Decomposition.Multiply(x, weights, y);
}

/// <summary>Four or eight bits with scales for groups of inputs.</summary>
internal sealed class QuantizedMatrix(QuantizedWeights weights, GemmArithmetic arithmetic) : WeightMatrix(weights.OutputCount, weights.InputCount)
{
    public override long ByteCount => weights.ByteCount;

    public override void Multiply(ReadOnlySpan<float> x, Span<float> y) => MixedPrecisionGemm.Multiply(x, weights, y, new() { Arithmetic = arithmetic });
}
