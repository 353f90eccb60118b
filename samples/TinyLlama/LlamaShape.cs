namespace TinyLlama;

/// <summary>
/// Which elements of a head are turned together by rotary positions: neighbours (2i, 2i + 1), as llama2.c stores them, or halves (i, i + d/2), as Hugging Face
/// does.
/// </summary>
internal enum RotaryPairs
{
    Neighbours,
    Halves,
}

/// <summary>The sizes of a Llama-family model.</summary>
internal sealed record LlamaShape(int Dimension, int HiddenDimension, int LayerCount, int HeadCount, int KvHeadCount, int VocabularySize, int ContextLength)
{
    // Half of it is pairs; their sines and cosines for all positions then take a gigabyte.
    private const long LargestRotaryTable = 1 << 28;

    public RotaryPairs RotaryPairs { get; init; }

    /// <summary>The base of the rotary angles: position / RotaryBase^(2i/d).</summary>
    public float RotaryBase { get; init; } = 10_000;

    public RotaryScaling? RotaryScaling { get; init; }

    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>The classifier is the token embedding again.</summary>
    public bool SharesClassifier { get; init; }

    public int HeadDimension => Dimension / HeadCount;

    public int KvDimension => KvHeadCount * HeadDimension;

    /// <summary>Says what is wrong with sizes from a file, or nothing.</summary>
    public string? FindFault() =>
        Dimension <= 0 || HiddenDimension <= 0 || LayerCount <= 0 || HeadCount <= 0 || KvHeadCount <= 0 || VocabularySize <= 0 || ContextLength <= 0
        ? $"a size is not positive: {Dimension}, {HiddenDimension}, {LayerCount}, {HeadCount}, {KvHeadCount}, {VocabularySize}, {ContextLength}"
        : Dimension % HeadCount != 0 || HeadDimension % 2 != 0 ? $"dimension {Dimension} is not {HeadCount} heads of an even dimension"
        : HeadCount % KvHeadCount != 0 ? $"{HeadCount} query heads do not share {KvHeadCount} key heads"
        : (long)ContextLength * HeadDimension > LargestRotaryTable
            ? $"a context of {ContextLength} with heads of {HeadDimension} is beyond what the tables of rotary positions hold: --context cuts it"
        : null;

    /// <summary>The matrices of one layer, by the names that Hugging Face gives them, with rows (outputs) and columns (inputs).</summary>
    public IEnumerable<(string Name, int Rows, int Columns)> LayerMatrices =>
    [
        ("self_attn.q_proj", Dimension, Dimension), ("self_attn.k_proj", KvDimension, Dimension), ("self_attn.v_proj", KvDimension, Dimension),
            ("self_attn.o_proj", Dimension, Dimension),
        ("mlp.gate_proj", HiddenDimension, Dimension), ("mlp.down_proj", Dimension, HiddenDimension), ("mlp.up_proj", HiddenDimension, Dimension),
    ];

    /// <summary>All tensors of the model with their dimensions.</summary>
    public IEnumerable<(string Name, long[] Dimensions)> Tensors
    {
        get
        {
            yield return (TensorNames.Embedding, [VocabularySize, Dimension]);
            yield return (TensorNames.FinalNorm, [Dimension]);
            if (!SharesClassifier)
                yield return (TensorNames.Classifier, [VocabularySize, Dimension]);
            for (int layer = 0; layer < LayerCount; layer++)
            {
                yield return (TensorNames.Layer(layer, TensorNames.AttentionNorm), [Dimension]);
                yield return (TensorNames.Layer(layer, TensorNames.FeedForwardNorm), [Dimension]);
                foreach ((string name, int rows, int columns) in LayerMatrices)
                    yield return (TensorNames.Layer(layer, name), [rows, columns]);
            }
        }
    }
}
