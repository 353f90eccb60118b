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

    // Read once before the clock starts: the first calls wait for the compiler, and for pages of the file.
    private const int WarmUpTokens = 256;

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
        ReadWindow(model, tokens[..Math.Min(tokens.Length, Math.Min(window, WarmUpTokens))], chunk, logits, interrupted);
        (double sum, TimeSpan time) = (0, TimeSpan.Zero);
        for (int start = 1; start < tokens.Length; start += window - 1)
        {
            int[] inputs = [begin, .. tokens.Slice(start, Math.Min(window, tokens.Length - start + 1) - 1)];
            (double windowSum, TimeSpan windowTime) = ReadWindow(model, inputs, chunk, logits, interrupted);
            (sum, time, count) = (sum + windowSum, time + windowTime, count + inputs.Length - 1);
        }
        return new EvaluationResult(Math.Exp(-sum / count), count / time.TotalSeconds, model.BytesPerToken);
    }

    // The sum of log p of all tokens but the first, and the time that the model took.
    private static (double Sum, TimeSpan Time) ReadWindow(LlamaModel model, ReadOnlySpan<int> tokens, int chunk, float[] logits, CancellationToken interrupted)
    {
        int vocabulary = model.Shape.VocabularySize;
        (double sum, TimeSpan time) = (0, TimeSpan.Zero);
        model.Reset();
        for (int first = 0; first < tokens.Length; first += chunk)
        {
            int rows = Math.Min(chunk, tokens.Length - first);
            Span<float> rowLogits = logits.AsSpan(0, rows * vocabulary);
            long before = Stopwatch.GetTimestamp();
            model.Forward(tokens.Slice(first, rows), rowLogits, interrupted);
            time += Stopwatch.GetElapsedTime(before);
            Softmax.LogSoftmax<float>(rowLogits, rowLogits, vocabulary);
            for (int row = 0; row < rows && first + row + 1 < tokens.Length; row++)
                sum += rowLogits[row * vocabulary + tokens[first + row + 1]];
        }
        return (sum, time);
    }
}
