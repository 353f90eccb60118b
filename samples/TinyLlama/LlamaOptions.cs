using Kernels;

namespace TinyLlama;

/// <summary>How a model is run.</summary>
/// <param name="Weights">How matrices are kept.</param>
/// <param name="Attention">Which tokens are attended to.</param>
/// <param name="KeyValues">How keys and values are kept.</param>
/// <param name="Keep">The share of the context that sparse attention keeps; 1 for all.</param>
internal readonly record struct LlamaOptions(WeightKind Weights, AttentionKind Attention, KeyValueType KeyValues, double Keep)
{
    /// <summary>The share of the heads that SpAtten keeps.</summary>
    public double KeepHeads { get; init; } = 1;

    /// <summary>How weights of four bits meet activations: in float, or both as integers, which is faster where one token is read at a time.</summary>
    public GemmArithmetic Arithmetic { get; init; } = GemmArithmetic.Exact;

    /// <summary>How the last matrix is kept, from the final state to the logits.</summary>
    public WeightKind Classifier => Weights == WeightKind.Int8 ? WeightKind.F32 : Weights;
}
