using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>The cells a model can be made of.</summary>
internal enum CellKind
{
    Gru,
    Lstm,
}

/// <summary>What a model is made of, beside its alphabet.</summary>
internal sealed record ModelShape(CellKind Cell, int HiddenCount, int LayerCount);

/// <summary>
/// A character-level language model: a row of a table for each character, stacked recurrent layers, a linear readout whose softmax is the next character's
/// probability.
/// </summary>
internal sealed class CharacterModel
{
    /// <summary>Elements of a character's row: a fourth to an eighth of the layers' channels is the usual.</summary>
    public const int EmbeddingElements = 32;

    public CharacterModel(ModelShape shape, string alphabet, int seed)
    {
        MemoryNeed.Check(MemoryNeed.OfWeights(shape, alphabet.Length), $"a model of {shape.LayerCount} layers of {shape.HiddenCount} channels");
        (Shape, Alphabet) = (shape, alphabet);
        Embedding = new EmbeddingLayer("embedding", alphabet.Length, EmbeddingElements, seed);
        Layers = [.. Enumerable.Range(0, shape.LayerCount).Select(i => Layer(shape, i, seed))];
        Readout = new LinearLayer("readout", shape.HiddenCount, alphabet.Length, seed + 2 * shape.LayerCount + 1);
        Parameters = [Embedding.Weights, .. Layers.SelectMany(layer => layer.Parameters), .. Readout.Parameters];
    }

    public ModelShape Shape { get; }

    /// <summary>The characters, by their codes.</summary>
    public string Alphabet { get; }

    public EmbeddingLayer Embedding { get; }

    public IReadOnlyList<RnnLayer> Layers { get; }

    public LinearLayer Readout { get; }

    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The matrices that a quantised model keeps in other forms: the layers' projections, then the readout.</summary>
    public IReadOnlyList<LinearLayer> Matrices => [.. Layers.Select(layer => layer.Projection), Readout];

    /// <summary>How the layers solve their recurrences.</summary>
    public RnnSolver Solver
    {
        set
        {
            foreach (RnnLayer layer in Layers)
                layer.Solver = value;
        }
    }

    // A seed draws a layer's projection, the next one its recurrent weights.
    private static RnnLayer Layer(ModelShape shape, int index, int seed)
    {
        int inputs = index == 0 ? EmbeddingElements : shape.HiddenCount, layerSeed = seed + 2 * index + 1;
        return shape.Cell == CellKind.Gru
            ? new ParaGruLayer($"layers.{index}", inputs, shape.HiddenCount, layerSeed)
            : new ParaLstmLayer($"layers.{index}", inputs, shape.HiddenCount, layerSeed);
    }
}
