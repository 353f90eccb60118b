using System.Diagnostics;
using Kernels;

namespace TinyLlama;

/// <summary>How well a model knows a text, how fast it read it, and the bytes of weights that it reads for a token.</summary>
internal readonly record struct EvaluationResult(double Perplexity, double TokensPerSecond, long BytesPerToken);

/// <summary>Perplexity of a text: exp of the mean of -log p(token | tokens before).</summary>
internal static class Evaluation
{
    /// <summary>Tokens that are read at once: weights are then read once for so many.</summary>
    public const int DefaultChunk = 64;

    /// <summary>Reads a text in windows of the context's length, each begun anew.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">The text; its first token begins it.</param>
    /// <param name="interrupted">Ends the work.</param>
    /// <param name="chunk">Tokens at a time; 1 is how text is generated.</param>
    public static EvaluationResult Run(LlamaModel model, ReadOnlySpan<int> tokens, CancellationToken interrupted, int chunk = DefaultChunk)
    {
        if (tokens.Length < 2)
            throw new InvalidDataException("a text of at least one token is needed");
        int window = model.Shape.ContextLength, begin = tokens[0], count = 0;
        var logits = new float[Math.Min(chunk, window) * model.Shape.VocabularySize];
        double sum = 0;
        long time = 0;
        for (int start = 1; start < tokens.Length; start += window - 1)
        {
            int[] inputs = [begin, .. tokens.Slice(start, Math.Min(window, tokens.Length - start + 1) - 1)];
            model.Reset();
            for (int first = 0; first < inputs.Length; first += chunk)
            {
                int rows = Math.Min(chunk, inputs.Length - first);
                long before = Stopwatch.GetTimestamp();
                model.Forward(inputs.AsSpan(first, rows), logits.AsSpan(0, rows * model.Shape.VocabularySize), interrupted);
                time += Stopwatch.GetTimestamp() - before;
                sum -= SumOfLogProbabilities(logits.AsSpan(0, rows * model.Shape.VocabularySize), inputs.AsSpan(first + 1, Math.Min(rows, inputs.Length - first - 1)), model.Shape.VocabularySize);
            }
            count += inputs.Length - 1;
        }
        return new EvaluationResult(Math.Exp(sum / count), count / Stopwatch.GetElapsedTime(0, time).TotalSeconds, model.BytesPerToken);
    }

    private static double SumOfLogProbabilities(Span<float> logits, ReadOnlySpan<int> nextTokens, int vocabulary)
    {
        Softmax.LogSoftmax<float>(logits, logits, vocabulary);
        double sum = 0;
        for (int row = 0; row < nextTokens.Length; row++)
            sum += logits[row * vocabulary + nextTokens[row]];
        return sum;
    }
}
