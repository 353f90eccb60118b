using System.Diagnostics;

namespace TinyLlama;

/// <summary>What a run took. The first new token comes from reading the prompt; each further one is a step, which reads the one before.</summary>
internal readonly record struct GenerationReport(int PromptTokens, int NewTokens, int Steps, TimeSpan PromptTime, TimeSpan StepTime, long BytesPerToken)
{
    public double TokensPerSecond => Steps / StepTime.TotalSeconds;

    public double BytesPerSecond => BytesPerToken * TokensPerSecond;
}

/// <summary>Text token by token.</summary>
internal static class Generation
{
    /// <summary>
    /// Writes the text of <paramref name="steps"/> tokens, the prompt's included, as llama2.c counts them; ends early where the model ends it.
    /// </summary>
    public static GenerationReport Run(LlamaModel model, ITokenizer tokenizer, Sampler sampler, string prompt, int steps, Stream output,
        CancellationToken interrupted)
    {
        int[] tokens = tokenizer.Encode(prompt);
        int last = Math.Min(steps, model.Shape.ContextLength);
        if (tokens.Length > last)
            throw new InvalidDataException($"the prompt has {tokens.Length} tokens, and there is room for {last} (--steps, --context)");
        if (tokens.Length == 0)
            throw new InvalidDataException("the prompt has no tokens, and this tokenizer puts none before a text: give a --prompt");
        for (int i = tokenizer.Before.Length; i < tokens.Length; i++)
            output.Write(tokenizer.Decode(i > 0 ? tokens[i - 1] : null, tokens[i]));
        var logits = new float[model.Shape.VocabularySize];
        var watch = Stopwatch.StartNew();
        model.Forward(tokens, logits, interrupted);
        TimeSpan promptTime = watch.Elapsed;
        int previous = tokens[^1], count = 0, forwards = 0;
        while (model.Position <= last)
        {
            interrupted.ThrowIfCancellationRequested();
            int next = sampler.Sample(logits);
            if (tokenizer.Ends(next))
                break;
            count++;
            output.Write(tokenizer.Decode(previous, next));
            output.Flush();
            previous = next;
            if (model.Position == last)
                break;
            model.Forward([next], logits, interrupted);
            forwards++;
        }
        return new GenerationReport(tokens.Length, count, forwards, promptTime, watch.Elapsed - promptTime, model.BytesPerToken);
    }
}
