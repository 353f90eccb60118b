using System.Runtime.InteropServices;
using System.Text;

namespace Kernels.Tests;

/// <summary>
/// A complete small language model, one token at a time, as simply as it can be written: llama2.c's legacy file format and architecture (RMSNorm, rotary
/// positions, grouped queries, gated feed-forward, classifier shared with the embedding). Its linear layers can be replaced.
/// </summary>
internal sealed class StoriesModel
{
    private const float NormEpsilon = 1e-5f, RotaryBase = 10000;

    // Width, hidden width, layers, heads, key heads, vocabulary, positions.
    private const int HeaderInts = 7;

    private readonly int _width, _hidden, _layers, _heads, _keyHeads, _vocabulary;
    private readonly float[] _embedding, _finalNorm;
    private readonly Layer[] _all;

    public StoriesModel(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int[] header = MemoryMarshal.Cast<byte, int>(bytes)[..HeaderInts].ToArray();
        (_width, _hidden, _layers, _heads, _keyHeads, _vocabulary) = (header[0], header[1], header[2], header[3], header[4], header[5]);
        float[] floats = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(HeaderInts * sizeof(int))).ToArray();
        int at = 0;
        _embedding = Take(_vocabulary * _width);
        float[][] attentionNorms = TakeAll(_width), queries = TakeAll(_width * _width), keys = TakeAll(KeyWidth * _width), values = TakeAll(KeyWidth * _width),
            projections = TakeAll(_width * _width);
        float[][] feedNorms = TakeAll(_width), gates = TakeAll(_hidden * _width), downs = TakeAll(_width * _hidden), ups = TakeAll(_hidden * _width);
        _finalNorm = Take(_width);
        _all = [.. Enumerable.Range(0, _layers)
            .Select(i => new Layer(attentionNorms[i], queries[i], keys[i], values[i], projections[i], feedNorms[i], gates[i], downs[i], ups[i]))];

        float[] Take(int count) => floats[at..(at += count)];

        float[][] TakeAll(int count) => [.. Enumerable.Range(0, _layers).Select(_ => Take(count))];
    }

    /// <summary>output = input W^T for weights [outputs, inputs].</summary>
    public delegate float[] LinearLayer(float[] input);

    private int KeyWidth => _width / _heads * _keyHeads;

    /// <summary>
    /// Gives the model outlier features without changing what it computes: a feature of each normalised vector, and one of each gated vector, grows by a power
    /// of two, and the weights that read it shrink by as much.
    /// </summary>
    public void InjectOutliers(float factor)
    {
        foreach (Layer layer in _all)
        {
            Scale(layer.AttentionNorm, feature: 5, factor, layer.Query, layer.Key, layer.Value);
            Scale(layer.FeedNorm, feature: 9, factor, layer.Gate, layer.Up);
        }

        static void Scale(float[] norm, int feature, float factor, params float[][] readers)
        {
            norm[feature] *= factor;
            foreach (float[] weights in readers)
            {
                for (int i = feature; i < weights.Length; i += norm.Length)
                    weights[i] /= factor;
            }
        }
    }

    /// <summary>The most likely continuation of the empty text, token 1 first.</summary>
    public int[] Greedy(int count)
    {
        Session session = Open((weights, inputs) => input => Multiply(weights, inputs, input));
        var tokens = new List<int> { 1 };
        while (tokens.Count < count)
        {
            float[] logits = session.Next(tokens[^1]);
            tokens.Add(Array.IndexOf(logits, logits.Max()));
        }
        return [.. tokens];
    }

    /// <summary>The mean of -log p over tokens 1.. given those before them, with linear layers made of the weights [outputs, inputs].</summary>
    public double NegativeLogLikelihood(int[] tokens, Func<float[], int, LinearLayer> make)
    {
        Session session = Open(make);
        double sum = 0;
        for (int i = 0; i + 1 < tokens.Length; i++)
        {
            float[] logits = session.Next(tokens[i]);
            double largest = logits.Max();
            sum += largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest))) - logits[tokens[i + 1]];
        }
        return sum / (tokens.Length - 1);
    }

    public static float[] Multiply(float[] weights, int inputs, float[] input)
    {
        var output = new float[weights.Length / inputs];
        for (int i = 0; i < output.Length; i++)
        {
            ReadOnlySpan<float> row = weights.AsSpan(i * inputs, inputs);
            for (int j = 0; j < inputs; j++)
                output[i] += row[j] * input[j];
        }
        return output;
    }

    /// <summary>The pieces of llama2.c's tokenizer file: a longest length, and for each token a score, a length and bytes.</summary>
    public static string[] ReadPieces(string path, int count)
    {
        using var file = new BinaryReader(File.OpenRead(path));
        file.ReadInt32();
        var pieces = new string[count];
        for (int i = 0; i < count; i++)
        {
            file.ReadSingle();
            string piece = Encoding.UTF8.GetString(file.ReadBytes(file.ReadInt32()));
            // Bytes that are no text stand as <0x0A>.
            pieces[i] = piece.StartsWith("<0x", StringComparison.Ordinal) ? ((char)Convert.ToByte(piece[3..5], 16)).ToString() : piece;
        }
        return pieces;
    }

    public int VocabularySize => _vocabulary;

    private Session Open(Func<float[], int, LinearLayer> make) => new(this, [.. _all.Select(layer => new LinearLayer[]
    {
        make(layer.Query, _width), make(layer.Key, _width), make(layer.Value, _width), make(layer.Projection, _width), make(layer.Gate, _width),
            make(layer.Down, _hidden), make(layer.Up, _width),
    })]);

    private sealed record Layer(float[] AttentionNorm, float[] Query, float[] Key, float[] Value, float[] Projection, float[] FeedNorm, float[] Gate,
        float[] Down, float[] Up);

    /// <summary>One text: the keys and values so far.</summary>
    private sealed class Session(StoriesModel model, LinearLayer[][] linear)
    {
        private readonly List<float[]>[] _keys = [.. linear.Select(_ => new List<float[]>())], _values = [.. linear.Select(_ => new List<float[]>())];

        public float[] Next(int token)
        {
            float[] x = model._embedding[(token * model._width)..((token + 1) * model._width)];
            for (int i = 0; i < linear.Length; i++)
            {
                float[] a = Normalise(x, model._all[i].AttentionNorm);
                Add(x, linear[i][3](Attend(i, linear[i][0](a), linear[i][1](a), linear[i][2](a))));
                float[] f = Normalise(x, model._all[i].FeedNorm), gate = linear[i][4](f), up = linear[i][6](f);
                for (int j = 0; j < gate.Length; j++)
                    gate[j] = gate[j] / (1 + MathF.Exp(-gate[j])) * up[j];
                Add(x, linear[i][5](gate));
            }
            return Multiply(model._embedding, model._width, Normalise(x, model._finalNorm));
        }

        private float[] Attend(int layer, float[] query, float[] key, float[] value)
        {
            int size = model._width / model._heads, position = _keys[layer].Count;
            Rotate(query, size, position);
            Rotate(key, size, position);
            _keys[layer].Add(key);
            _values[layer].Add(value);
            var result = new float[query.Length];
            for (int head = 0; head < model._heads; head++)
            {
                int own = head * size, shared = head * model._keyHeads / model._heads * size;
                double[] scores = [.. _keys[layer].Select(k => Enumerable.Range(0, size).Sum(i => (double)query[own + i] * k[shared + i]) / Math.Sqrt(size))];
                double largest = scores.Max(), total = scores.Sum(score => Math.Exp(score - largest));
                for (int t = 0; t <= position; t++)
                {
                    for (int i = 0; i < size; i++)
                        result[own + i] += (float)(Math.Exp(scores[t] - largest) / total * _values[layer][t][shared + i]);
                }
            }
            return result;
        }

        private static void Rotate(float[] vector, int size, int position)
        {
            for (int i = 0; i < vector.Length; i += 2)
            {
                (float sin, float cos) = MathF.SinCos(position / MathF.Pow(RotaryBase, i % size / (float)size));
                (vector[i], vector[i + 1]) = (vector[i] * cos - vector[i + 1] * sin, vector[i] * sin + vector[i + 1] * cos);
            }
        }

        private static float[] Normalise(float[] x, float[] gain)
        {
            float factor = 1 / MathF.Sqrt(x.Sum(value => value * value) / x.Length + NormEpsilon);
            return [.. x.Zip(gain, (value, g) => value * factor * g)];
        }

        private static void Add(float[] x, float[] addend)
        {
            for (int i = 0; i < x.Length; i++)
                x[i] += addend[i];
        }
    }
}
