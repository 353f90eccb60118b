using Kernels;

namespace TinyLlama;

/// <summary>The inputs that a text brings to each matrix: H = 2 sum x^T x, what GPTQ rounds by.</summary>
internal sealed class Calibration
{
    private readonly Dictionary<string, GptqHessian> _hessians = [];

    /// <summary>Reads the first window of a text with the float model.</summary>
    public static Calibration Of(ICheckpoint checkpoint, ReadOnlySpan<int> tokens)
    {
        var calibration = new Calibration();
        using var model = new LlamaModel(checkpoint, new(WeightKind.F32, AttentionKind.Dense, KeyValueType.Float32, Keep: 1)) { Observer = calibration };
        int count = Math.Min(tokens.Length, checkpoint.Shape.ContextLength);
        model.Forward(tokens[..count], new float[count * checkpoint.Shape.VocabularySize]);
        return calibration;
    }

    public void Add(string name, ReadOnlySpan<float> inputs, int inputCount) => Hessian(name, inputCount).Add(inputs);

    public GptqHessian Hessian(string name, int inputCount)
    {
        if (!_hessians.TryGetValue(name, out GptqHessian? hessian))
            _hessians.Add(name, hessian = new GptqHessian(inputCount));
        return hessian;
    }
}
