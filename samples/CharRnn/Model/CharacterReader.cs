using System.Text;
using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>Reads and writes text with a model whose matrices are kept in one form; states are carried on, so that each character costs the same.</summary>
internal sealed class CharacterReader
{
    // Characters whose gate inputs are made by one product.
    private const int Window = 256;

    private readonly CharacterModel _model;
    private readonly WeightMatrix[] _matrices;
    private readonly float[][] _activations, _gates, _states;

    /// <summary>A reader of the float weights as they are, even while they are being trained.</summary>
    public CharacterReader(CharacterModel model) : this(model, WeightForm.F32, null)
    {
    }

    /// <param name="model">The model.</param>
    /// <param name="form">How to keep its matrices.</param>
    /// <param name="hessians">For <see cref="WeightForm.U4Gptq"/>, one for each matrix; see <see cref="Calibrate"/>.</param>
    public CharacterReader(CharacterModel model, WeightForm form, GptqHessian[]? hessians)
    {
        _model = model;
        _matrices = [.. model.Matrices.Select((layer, i) => WeightMatrix.Create(form, layer, hessians?[i]))];
        int[] widths = [CharacterModel.EmbeddingElements, .. model.Layers.Select(layer => layer.HiddenCount), model.Alphabet.Length];
        _activations = [.. widths.Select(width => new float[Window * width])];
        _gates = [.. model.Layers.Select(layer => new float[Window * layer.Projection.OutputCount])];
        _states = [.. model.Layers.Select(layer => new float[layer.StateElements(1)])];
    }

    /// <summary>The bytes of all matrices.</summary>
    public long ByteCount => _matrices.Sum(matrix => matrix.ByteCount);

    /// <summary>What a text brings to each matrix of a model.</summary>
    public static GptqHessian[] Calibrate(CharacterModel model, ReadOnlySpan<int> text)
    {
        GptqHessian[] hessians = [.. model.Matrices.Select(matrix => new GptqHessian(matrix.InputCount))];
        var reader = new CharacterReader(model);
        for (int start = 0; start < text.Length; start += Window)
        {
            int count = Math.Min(Window, text.Length - start);
            reader.Read(text.Slice(start, count));
            for (int i = 0; i < hessians.Length; i++)
                hessians[i].Add(reader._activations[i].AsSpan(0, count * hessians[i].InputCount));
        }
        return hessians;
    }

    /// <summary>Begins a new text.</summary>
    public void Reset()
    {
        foreach (float[] state in _states)
            Array.Clear(state);
    }

    /// <summary>The mean of -log2 p(character | all characters before it) over a text, its first one excepted.</summary>
    public double BitsPerCharacter(ReadOnlySpan<int> text)
    {
        Reset();
        int width = _model.Alphabet.Length;
        double nats = 0;
        for (int start = 0; start < text.Length - 1; start += Window)
        {
            int count = Math.Min(Window, text.Length - 1 - start);
            Span<float> logits = Read(text.Slice(start, count));
            Softmax.LogSoftmax<float>(logits, logits, width);
            for (int i = 0; i < count; i++)
                nats -= logits[i * width + text[start + i + 1]];
        }
        return nats / Math.Log(2) / (text.Length - 1);
    }

    /// <summary>Begins a text with a prompt and goes on from it.</summary>
    /// <param name="prompt">At least one character, all of the alphabet.</param>
    /// <param name="count">Characters to add.</param>
    /// <param name="temperature">0 takes the likeliest character; 1 draws by the model's own probabilities.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <param name="interrupted">Ends the text early.</param>
    public string Write(string prompt, int count, double temperature, ulong seed, CancellationToken interrupted = default)
    {
        Reset();
        var random = new SplitMix64(seed);
        var text = new StringBuilder(prompt);
        int width = _model.Alphabet.Length;
        int[] codes = Corpus.Encode(_model.Alphabet, prompt);
        Span<float> logits = default;
        for (int start = 0; start < codes.Length; start += Window)
            logits = Read(codes.AsSpan(start, Math.Min(Window, codes.Length - start)));
        for (int i = 0; i < count && !interrupted.IsCancellationRequested; i++)
        {
            int next = Choose(logits[^width..], temperature, random.NextDouble());
            text.Append(_model.Alphabet[next]);
            logits = Read([next]);
        }
        return text.ToString();
    }

    // The logits after each of at most a window's characters.
    private Span<float> Read(scoped ReadOnlySpan<int> codes)
    {
        int count = codes.Length;
        Span<float> rows = _activations[0].AsSpan(0, count * CharacterModel.EmbeddingElements);
        _model.Embedding.Forward(codes, rows);
        for (int i = 0; i < _model.Layers.Count; i++)
        {
            RnnLayer layer = _model.Layers[i];
            Span<float> gates = _gates[i].AsSpan(0, count * layer.Projection.OutputCount), outputs = _activations[i + 1].AsSpan(0, count * layer.HiddenCount);
            _matrices[i].Multiply(rows, gates);
            layer.Recur(gates, outputs, 1, _states[i]);
            rows = outputs;
        }
        Span<float> logits = _activations[^1].AsSpan(0, count * _model.Alphabet.Length);
        _matrices[^1].Multiply(rows, logits);
        return logits;
    }

    private static int Choose(Span<float> logits, double temperature, double draw)
    {
        if (temperature == 0)
        {
            Span<float> probability = stackalloc float[1];
            Span<int> likeliest = stackalloc int[1];
            Softmax.TopK<float>(logits, probability, likeliest, logits.Length, count: 1);
            return likeliest[0];
        }
        Softmax.Compute<float>(logits, logits, logits.Length, new() { Scale = 1 / temperature });
        int next = 0;
        while (next < logits.Length - 1 && (draw -= logits[next]) > 0)
            next++;
        return next;
    }
}
