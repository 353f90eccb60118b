using Kernels;

namespace CharacterModel;

/// <summary>A character-level language model: one column of the first projection for each character, stacked ParaGRU layers, a linear readout, softmax.</summary>
internal sealed class LanguageModel
{
    // The usual bound for recurrent networks.
    private const double GradientLimit = 1;

    private readonly ParaGruLayer[] _layers;
    private readonly LinearLayer _readout;
    private readonly AdamW _optimizer;
    private readonly string _alphabet;

    public LanguageModel(string alphabet, int hiddenCount, int layerCount, double rate, RnnSolver solver = RnnSolver.Auto)
    {
        _alphabet = alphabet;
        _layers = [.. Enumerable.Range(0, layerCount).Select(i => new ParaGruLayer($"layers.{i}", i == 0 ? alphabet.Length : hiddenCount, hiddenCount, seed: i) { Solver = solver })];
        _readout = new LinearLayer("readout", hiddenCount, alphabet.Length, seed: layerCount);
        Parameters = [.. _layers.SelectMany(layer => layer.Parameters), .. _readout.Parameters];
        _optimizer = new AdamW(Parameters, rate);
    }

    public IReadOnlyList<RnnParameter> Parameters { get; }

    /// <summary>The characters' places in the alphabet.</summary>
    public int[] Encode(string text) => [.. text.Select(character => _alphabet.IndexOf(character, StringComparison.Ordinal))];

    /// <summary>One step of training on random stretches of a text; returns the mean loss in nats a character.</summary>
    public double Train(int[] text, int sequenceCount, int stepCount, Random random)
    {
        int rows = sequenceCount * stepCount;
        int[] inputs = new int[rows], targets = new int[rows];
        for (int sequence = 0; sequence < sequenceCount; sequence++)
        {
            int start = random.Next(text.Length - stepCount);
            for (int t = 0; t < stepCount; t++)
                (inputs[t * sequenceCount + sequence], targets[t * sequenceCount + sequence]) = (text[start + t], text[start + t + 1]);
        }
        float[][] activations = Forward(inputs, sequenceCount, states: null);
        float[] probabilities = new float[rows * _alphabet.Length];
        Softmax.Compute<float>(activations[^1], probabilities, _alphabet.Length);
        double loss = 0;
        for (int row = 0; row < rows; row++)
        {
            ref float chosen = ref probabilities[row * _alphabet.Length + targets[row]];
            loss -= Math.Log(chosen);
            // The gradient of cross-entropy by the logits: probabilities, less one where the target is.
            chosen -= 1;
        }
        foreach (ref float gradient in probabilities.AsSpan())
            gradient /= rows;
        Backward(activations, probabilities);
        GradientClipping.ByNorm(Parameters, GradientLimit);
        _optimizer.Step();
        return loss / rows;
    }

    // One-hot rows, then each layer's outputs, then the logits.
    private float[][] Forward(int[] characters, int sequenceCount, float[][]? states)
    {
        var oneHot = new float[characters.Length * _alphabet.Length];
        for (int row = 0; row < characters.Length; row++)
            oneHot[row * _alphabet.Length + characters[row]] = 1;
        var activations = new List<float[]> { oneHot };
        for (int i = 0; i < _layers.Length; i++)
        {
            var outputs = new float[characters.Length * _layers[i].HiddenCount];
            _layers[i].Forward(activations[^1], outputs, sequenceCount, states is null ? default : states[i].AsSpan());
            activations.Add(outputs);
        }
        var logits = new float[oneHot.Length];
        _readout.Forward(activations[^1], logits);
        activations.Add(logits);
        return [.. activations];
    }

    private void Backward(float[][] activations, float[] logitGradients)
    {
        var gradients = new float[activations[^2].Length];
        _readout.Backward(activations[^2], logitGradients, gradients);
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            // Nobody asks for the gradient by the characters.
            float[] byInputs = i == 0 ? [] : new float[activations[i].Length];
            _layers[i].Backward(gradients, byInputs);
            gradients = byInputs;
        }
    }

    /// <summary>Goes on from a text, character by character; states are carried, so each costs the same.</summary>
    public string Sample(string beginning, int count, double temperature, Random random)
    {
        float[][] states = [.. _layers.Select(layer => new float[layer.StateElements(1)])];
        float[] logits = Forward(Encode(beginning), 1, states)[^1];
        var probabilities = new float[_alphabet.Length];
        var text = new System.Text.StringBuilder(beginning);
        for (int i = 0; i < count; i++)
        {
            Softmax.Compute<float>(logits.AsSpan(logits.Length - _alphabet.Length), probabilities, _alphabet.Length, new() { Scale = 1 / temperature });
            double draw = random.NextDouble();
            int next = 0;
            while (next < probabilities.Length - 1 && (draw -= probabilities[next]) > 0)
                next++;
            text.Append(_alphabet[next]);
            logits = Forward([next], 1, states)[^1];
        }
        return text.ToString();
    }
}
