using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>A model to be written as a folder of Hugging Face; all of it can be changed before.</summary>
internal sealed class LlamaFolder : IDisposable
{
    private const string SingleName = "model.safetensors", IndexName = "model.safetensors.index.json";

    private readonly TemporaryFolder _folder = new();

    /// <summary>A model.</summary>
    /// <param name="shape">Its sizes.</param>
    /// <param name="weights">Its tensors by name, for halves that turn together.</param>
    /// <param name="type">The type to store them in.</param>
    public LlamaFolder(LlamaShape shape, Func<string, float[]> weights, TensorType type = TensorType.Float32)
    {
        Config = new JsonObject
        {
            ["model_type"] = "llama",
            ["hidden_size"] = shape.Dimension,
            ["intermediate_size"] = shape.HiddenDimension,
            ["num_hidden_layers"] = shape.LayerCount,
            ["num_attention_heads"] = shape.HeadCount,
            ["num_key_value_heads"] = shape.KvHeadCount,
            ["vocab_size"] = shape.VocabularySize,
            ["max_position_embeddings"] = shape.ContextLength,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["tie_word_embeddings"] = shape.SharesClassifier,
        };
        foreach ((string name, long[] dimensions) in shape.Tensors)
            Tensors.Add(name, (new TensorInfo(name, type, dimensions), Convert(weights(name), type)));
    }

    public static LlamaShape SmallShape { get; } = new(Dimension: 32, HiddenDimension: 48, LayerCount: 2, HeadCount: 4, KvHeadCount: 2, VocabularySize: 40,
        ContextLength: 64);

    public JsonObject Config { get; }

    public Dictionary<string, (TensorInfo Info, Array Elements)> Tensors { get; } = [];

    public int ShardCount { get; set; } = 1;

    public string Path => _folder.Path;

    public string File(string name) => _folder.File(name);

    /// <summary>A small model of random weights.</summary>
    public static LlamaFolder Random(TensorType type = TensorType.Float32) => new(SmallShape, name => RandomWeights(name, SmallShape), type);

    /// <summary>Weights that depend on the tensor's name alone: around one for norms, around zero for matrices.</summary>
    public static float[] RandomWeights(string name, LlamaShape shape)
    {
        long[] dimensions = shape.Tensors.Single(tensor => tensor.Name == name).Dimensions;
        float[] weights = MixedPrecisionGemmCases.Normal((int)dimensions.Aggregate((a, b) => a * b), seed: name.Sum(letter => letter), spread: 0.2);
        return dimensions.Length == 1 ? [.. weights.Select(weight => 1 + weight)] : weights;
    }

    /// <summary>Puts a quantised layer in the place of a matrix.</summary>
    public void Replace(string name, Dictionary<string, (TensorInfo Info, Array Elements)> layer)
    {
        Tensors.Remove(name);
        foreach ((TensorInfo info, Array elements) in layer.Values)
            Tensors[info.Name] = (info, elements);
    }

    public LlamaFolder Write()
    {
        System.IO.File.WriteAllText(File("config.json"), Config.ToJsonString());
        if (ShardCount == 1)
        {
            StoredLayer.Write(File(SingleName), Tensors.Values);
            return this;
        }
        var map = new JsonObject();
        for (int shard = 0; shard < ShardCount; shard++)
        {
            string file = $"model-{shard + 1:D5}-of-{ShardCount:D5}.safetensors";
            (TensorInfo Info, Array Elements)[] part = [.. Tensors.Values.Where((_, i) => i % ShardCount == shard)];
            StoredLayer.Write(File(file), part);
            foreach ((TensorInfo info, _) in part)
                map[info.Name] = file;
        }
        WriteIndex(map);
        return this;
    }

    public void WriteIndex(JsonObject map) =>
        System.IO.File.WriteAllText(File(IndexName), new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());

    public void Dispose() => _folder.Dispose();

    private static Array Convert(float[] weights, TensorType type) => type switch
    {
        TensorType.Float16 => Array.ConvertAll(weights, weight => (Half)weight),
        TensorType.BFloat16 => Array.ConvertAll(weights, weight => (BrainFloat16)weight),
        _ => weights,
    };
}
