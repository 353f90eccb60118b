using Kernels;

namespace TinyLlama;

/// <summary>
/// The weights of a model by the names that Hugging Face gives them, such as model.layers.0.mlp.up_proj.weight; matrices are [outputs, inputs], row-major.
/// </summary>
internal interface ICheckpoint : IDisposable
{
    LlamaShape Shape { get; }

    /// <summary>A vector or matrix as f32, over the mapped file where it is stored so, else converted. Valid until the checkpoint is disposed of.</summary>
    ReadOnlyMemory<float> Read(string name);

    /// <summary>A matrix that is stored in 4 or 8 bits as it is, packed once; null if it is stored otherwise.</summary>
    QuantizedWeights? ReadQuantized(string name);

    /// <summary>The file that a tensor lies in, for messages.</summary>
    string FileOf(string name);

    /// <summary>Bytes of the files that are mapped.</summary>
    long MappedBytes { get; }
}

internal static class TensorNames
{
    public const string Embedding = "model.embed_tokens.weight", FinalNorm = "model.norm.weight", Classifier = "lm_head.weight";

    public const string AttentionNorm = "input_layernorm", FeedForwardNorm = "post_attention_layernorm";

    public static string Layer(int layer, string part) => $"model.layers.{layer}.{part}.weight";
}
