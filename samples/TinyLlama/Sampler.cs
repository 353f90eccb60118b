using Kernels;

namespace TinyLlama;

/// <summary>
/// Chooses the next token from logits: the likeliest at temperature 0; else by lot among the top-k tokens that together have the probability top-p.
/// </summary>
internal sealed class Sampler(double temperature, int topK, double topP, int seed)
{
    private readonly Random _random = new(seed);
    private float[] _probabilities = [];
    private int[] _tokens = [];

    public int Sample(ReadOnlySpan<float> logits)
    {
        int count = temperature == 0 ? 1 : topK == 0 ? logits.Length : Math.Min(topK, logits.Length);
        if (_tokens.Length != count)
            (_probabilities, _tokens) = (new float[count], new int[count]);
        Softmax.TopK(logits, _probabilities, _tokens, logits.Length, count, new SoftmaxOptions<float> { Scale = temperature == 0 ? 1 : 1 / temperature });
        return _tokens[temperature == 0 ? 0 : Draw()];
    }

    private int Draw()
    {
        int kept = 0;
        double mass = 0;
        while (kept < _tokens.Length && (kept == 0 || mass < topP))
            mass += _probabilities[kept++];
        double lot = _random.NextDouble() * mass;
        for (int rank = 0; rank < kept - 1; rank++)
        {
            lot -= _probabilities[rank];
            if (lot < 0)
                return rank;
        }
        return kept - 1;
    }
}
