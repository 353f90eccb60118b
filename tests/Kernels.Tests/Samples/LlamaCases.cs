using TinyLlama;

namespace Kernels.Tests;

/// <summary>Small models and ways to run them.</summary>
internal static class LlamaCases
{
    public static readonly LlamaShape Small = new(Dimension: 64, HiddenDimension: 96, LayerCount: 3, HeadCount: 8, KvHeadCount: 4, VocabularySize: 300,
        ContextLength: 96)
    { SharesClassifier = true };

    public static LlamaOptions Dense => new(WeightKind.F32, AttentionKind.Dense, KeyValueType.Float32, Keep: 1);

    /// <summary>A model with random weights, and its tokenizer.</summary>
    public static ModelFiles Random(TemporaryFolder folder, LlamaShape? shape = null)
    {
        var files = new ModelFiles(folder.File("model.bin"), folder.File("tokenizer.bin"));
        SyntheticModel.Write(files.Model, shape ?? Small, seed: 1, default);
        SyntheticModel.WriteTokenizer(files.Tokenizer, (shape ?? Small).VocabularySize);
        return files;
    }

    /// <summary>Logits after tokens, which come so many at a time.</summary>
    public static float[] Logits(ICheckpoint checkpoint, LlamaOptions options, int[] tokens, int chunk)
    {
        using var model = new LlamaModel(checkpoint, options);
        var logits = new float[checkpoint.Shape.VocabularySize];
        for (int first = 0; first < tokens.Length; first += chunk)
            model.Forward(tokens.AsSpan(first, Math.Min(chunk, tokens.Length - first)), logits);
        return logits;
    }
}
