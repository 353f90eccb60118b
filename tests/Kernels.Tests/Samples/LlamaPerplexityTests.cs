using TinyLlama;

namespace Kernels.Tests;

/// <summary>What rounding and sparsity cost a real model on texts that it knows: stories that it wrote itself, by lot.</summary>
public sealed class LlamaPerplexityTests
{
    private static ICheckpoint Checkpoint => new Llama2CheckpointFile(SharedData.Find("models/stories260K/stories260K.bin"));

    [SkippableFact]
    public void RoundingCostsLittleAndGptqLess()
    {
        // Long enough that a ratio of perplexities does not hang on a few tokens: on 200 of them rounding moves it by half a percent either way.
        using ICheckpoint checkpoint = Checkpoint;
        int[] text = Write(checkpoint, stories: 4, firstSeed: 1);
        Calibration calibration = Calibration.Of(checkpoint, Write(checkpoint, stories: 1, firstSeed: 100));
        double exact = Perplexity(LlamaCases.Dense);
        Assert.InRange(exact, 1, 5);
        AssertWithin(0.005, LlamaCases.Dense with { Weights = WeightKind.Int8 });
        AssertWithin(0.001, LlamaCases.Dense with { KeyValues = KeyValueType.Float16 });
        AssertWithin(0.01, LlamaCases.Dense with { KeyValues = KeyValueType.Int8 });
        double nearest = Perplexity(LlamaCases.Dense with { Weights = WeightKind.U4G32 }),
            gptq = Perplexity(LlamaCases.Dense with { Weights = WeightKind.U4G32Gptq });
        Assert.True(exact < gptq && gptq < nearest, $"{exact} < {gptq} < {nearest}");
        AssertWithin(0.005, LlamaCases.Dense with { Weights = WeightKind.U4G32, Arithmetic = GemmArithmetic.Int8Activations }, nearest);

        void AssertWithin(double share, LlamaOptions options, double? reference = null) =>
            Assert.InRange(Perplexity(options) / (reference ?? exact), 1 - share, 1 + share);

        double Perplexity(LlamaOptions options) => Measure(checkpoint, options, text, calibration);
    }

    [SkippableFact]
    public void HalfOfTheTokensAreNearlyEnough()
    {
        using ICheckpoint checkpoint = Checkpoint;
        int[] text = Write(checkpoint, stories: 1, firstSeed: 1);
        double dense = Measure(checkpoint, LlamaCases.Dense, text);
        foreach (AttentionKind attention in new[] { AttentionKind.TokenSelect, AttentionKind.H2O, AttentionKind.SpAtten, AttentionKind.BlockSparse })
            Assert.InRange(Measure(checkpoint, LlamaCases.Dense with { Attention = attention, Keep = 0.5 }, text) / dense, 0.98, 1.02);
    }

    private static double Measure(ICheckpoint checkpoint, LlamaOptions options, int[] text, Calibration? calibration = null)
    {
        using var model = new LlamaModel(checkpoint, options, calibration);
        return Evaluation.Run(model, text, default).Perplexity;
    }

    // As many windows of the context's length, each begun anew.
    private static int[] Write(ICheckpoint checkpoint, int stories, int firstSeed)
    {
        const int begin = 1;
        List<int> tokens = [begin];
        var logits = new float[checkpoint.Shape.VocabularySize];
        using var model = new LlamaModel(checkpoint, LlamaCases.Dense);
        for (int story = 0; story < stories; story++)
        {
            var sampler = new Sampler(temperature: 0.8, topK: 0, topP: 1, firstSeed + story);
            model.Reset();
            model.Forward([begin], logits);
            for (int i = 1; i < checkpoint.Shape.ContextLength; i++)
            {
                tokens.Add(sampler.Sample(logits));
                model.Forward([tokens[^1]], logits);
            }
        }
        return [.. tokens];
    }
}
