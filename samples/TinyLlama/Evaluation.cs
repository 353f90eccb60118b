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
    /// <param name="tokens">The text.</param>
    /// <param name="interrupted">Ends the work.</param>
    /// <param name="chunk">Tokens at a time; 1 is how text is generated.</param>
    /// <param name="before">The text's first tokens that begin every window and are not predicted; with 0 a window begins with the token before it.</param>
    public static EvaluationResult Run(LlamaModel model, ReadOnlySpan<int> tokens, CancellationToken interrupted, int chunk = DefaultChunk, int before = 1)
    {
        int window = model.Shape.ContextLength, given = Math.Max(before, 1), count = 0;
        if (tokens.Length <= given || window <= given)
            throw new InvalidDataException(
                $"a text of at least one token is needed, and a context of more than {given}: there are {tokens.Length - before} tokens, and the context is " +
                $"{window}");
        chunk = (int)Math.Min(Math.Min(chunk, window), Math.Max(1, Array.MaxLength / model.Shape.VocabularySize));
        var logits = new float[chunk * model.Shape.VocabularySize];
        ReadWindow(model, tokens[..Math.Min(tokens.Length, Math.Min(window, WarmUpTokens))], given, chunk, logits, interrupted);
        (double sum, TimeSpan time) = (0, TimeSpan.Zero);
        for (int start = given; start < tokens.Length; start += window - given)
        {
            ReadOnlySpan<int> head = before > 0 ? tokens[..given] : tokens.Slice(start - 1, 1);
            int[] inputs = [.. head, .. tokens.Slice(start, Math.Min(window - given, tokens.Length - start))];
            (double windowSum, TimeSpan windowTime) = ReadWindow(model, inputs, given, chunk, logits, interrupted);
            (sum, time, count) = (sum + windowSum, time + windowTime, count + inputs.Length - given);
        }
        return new EvaluationResult(Math.Exp(-sum / count), count / time.TotalSeconds, model.BytesPerToken);
    }

    // The sum of log p of all tokens but the given ones, and the time that the model took.
    private static (double Sum, TimeSpan Time) ReadWindow(LlamaModel model, ReadOnlySpan<int> tokens, int given, int chunk, float[] logits,
        CancellationToken interrupted)
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
            for (int row = Math.Max(0, given - 1 - first); row < rows && first + row + 1 < tokens.Length; row++)
                sum += rowLogits[row * vocabulary + tokens[first + row + 1]];
        }
        return (sum, time);
    }
}
