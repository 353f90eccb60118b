namespace TinyLlama;

/// <summary>Which elements of a head are turned together by rotary positions: neighbours (2i, 2i + 1), as llama2.c stores them, or halves (i, i + d/2), as Hugging Face does.</summary>
internal enum RotaryPairs
{
    Neighbours,
    Halves,
}

/// <summary>The sizes of a Llama-family model.</summary>
internal sealed record LlamaShape(int Dimension, int HiddenDimension, int LayerCount, int HeadCount, int KvHeadCount, int VocabularySize, int ContextLength)
{
    public RotaryPairs RotaryPairs { get; init; }

    /// <summary>The base of the rotary angles: position / RotaryBase^(2i/d).</summary>
    public float RotaryBase { get; init; } = 10_000;

    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>The classifier is the token embedding again.</summary>
    public bool SharesClassifier { get; init; }

    public int HeadDimension => Dimension / HeadCount;

    public int KvDimension => KvHeadCount * HeadDimension;

    /// <summary>Says what is wrong with sizes from a file, or nothing.</summary>
    public string? FindFault() =>
        Dimension <= 0 || HiddenDimension <= 0 || LayerCount <= 0 || HeadCount <= 0 || KvHeadCount <= 0 || VocabularySize <= 0 || ContextLength <= 0 ? $"a size is not positive: {Dimension}, {HiddenDimension}, {LayerCount}, {HeadCount}, {KvHeadCount}, {VocabularySize}, {ContextLength}"
        : Dimension % HeadCount != 0 || HeadDimension % 2 != 0 ? $"dimension {Dimension} is not {HeadCount} heads of an even dimension"
        : HeadCount % KvHeadCount != 0 ? $"{HeadCount} query heads do not share {KvHeadCount} key heads"
        : null;

    /// <summary>The matrices of one layer, by the names that Hugging Face gives them, with rows (outputs) and columns (inputs).</summary>
    public IEnumerable<(string Name, int Rows, int Columns)> LayerMatrices =>
    [
        ("self_attn.q_proj", Dimension, Dimension), ("self_attn.k_proj", KvDimension, Dimension), ("self_attn.v_proj", KvDimension, Dimension), ("self_attn.o_proj", Dimension, Dimension),
        ("mlp.gate_proj", HiddenDimension, Dimension), ("mlp.down_proj", Dimension, HiddenDimension), ("mlp.up_proj", HiddenDimension, Dimension),
    ];
}
