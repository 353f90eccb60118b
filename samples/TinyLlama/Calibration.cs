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
        int chunk = (int)Math.Min(Math.Min(count, Evaluation.DefaultChunk), Math.Max(1, Array.MaxLength / checkpoint.Shape.VocabularySize));
        var logits = new float[chunk * checkpoint.Shape.VocabularySize];
        for (int first = 0; first < count; first += chunk)
        {
            int rows = Math.Min(chunk, count - first);
            try
            {
                model.Forward(tokens.Slice(first, rows), logits.AsSpan(0, rows * checkpoint.Shape.VocabularySize));
            }
            catch (NotFiniteNumberException)
            {
                throw FiniteWeights.Explain(checkpoint);
            }
        }
        return calibration;
    }

    /// <exception cref="NotFiniteNumberException">An input is not finite.</exception>
    public void Add(string name, ReadOnlySpan<float> inputs, int inputCount)
    {
        if (FiniteWeights.IndexOfOther(inputs) >= 0)
            throw new NotFiniteNumberException($"{name}: an input is not finite");
        Hessian(name, inputCount).Add(inputs);
    }

    public GptqHessian Hessian(string name, int inputCount)
    {
        if (!_hessians.TryGetValue(name, out GptqHessian? hessian))
            _hessians.Add(name, hessian = new GptqHessian(inputCount));
        return hessian;
    }
}
