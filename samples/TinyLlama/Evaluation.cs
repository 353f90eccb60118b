using System.Diagnostics;
using Kernels;

namespace TinyLlama;

/// <summary>One row of the table: how the model was run, how well it knows the text, and how fast it read it.</summary>
internal readonly record struct EvaluationRow(double Perplexity, double TokensPerSecond, long BytesPerToken);

/// <summary>Perplexity of a text: exp of the mean of -log p(token | tokens before).</summary>
internal static class Evaluation
{
    /// <summary>Reads a text in windows of the context's length, each begun anew.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">The text; its first token begins it.</param>
    /// <param name="interrupted">Ends the work between windows.</param>
    public static EvaluationRow Run(LlamaModel model, ReadOnlySpan<int> tokens, CancellationToken interrupted)
    {
        int vocabulary = model.Shape.VocabularySize, window = model.Shape.ContextLength, begin = tokens[0];
        var logits = new float[window * vocabulary];
        double sum = 0;
        int count = 0;
        var watch = new Stopwatch();
        for (int start = 1; start < tokens.Length; start += window - 1)
        {
            interrupted.ThrowIfCancellationRequested();
            int[] inputs = [begin, .. tokens.Slice(start, Math.Min(window, tokens.Length - start + 1) - 1)];
            model.Reset();
            watch.Start();
            model.Forward(inputs, logits.AsSpan(0, inputs.Length * vocabulary));
            watch.Stop();
            var logProbabilities = logits.AsSpan(0, inputs.Length * vocabulary);
            Softmax.LogSoftmax<float>(logProbabilities, logProbabilities, vocabulary);
            for (int i = 0; i + 1 < inputs.Length; i++)
                sum -= logProbabilities[i * vocabulary + inputs[i + 1]];
            count += inputs.Length - 1;
        }
        return new EvaluationRow(Math.Exp(sum / count), count / watch.Elapsed.TotalSeconds, model.BytesPerToken);
    }
}
