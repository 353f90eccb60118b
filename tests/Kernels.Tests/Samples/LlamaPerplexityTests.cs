using System.Text;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>What rounding and sparsity cost a real model on texts that it knows: stories that it wrote itself, by lot.</summary>
public sealed class LlamaPerplexityTests
{
    private const string Model = "models/stories260K/";

    // Long enough that a ratio of perplexities does not hang on a few tokens: on 200 tokens rounding moves it by half a percent either way.
    private const int Stories = 6;

    private static ModelFiles Files => new(SharedData.Find(Model + "stories260K.bin"), SharedData.Find(Model + "tok512.bin"));

    [SkippableFact]
    public void RoundingCostsLittleAndGptqLess()
    {
        using ICheckpoint checkpoint = Files.OpenModel();
        int[] text = Write(checkpoint, firstSeed: 1);
        Calibration calibration = Calibration.Of(checkpoint, Write(checkpoint, firstSeed: 100));
        double exact = Perplexity(LlamaCases.Dense);
        Assert.InRange(exact, 1, 5);
        Assert.InRange(Perplexity(LlamaCases.Dense with { Weights = WeightKind.Int8 }) / exact, 0.995, 1.005);
        Assert.InRange(Perplexity(LlamaCases.Dense with { KeyValues = KeyValueType.Float16 }) / exact, 0.999, 1.001);
        Assert.InRange(Perplexity(LlamaCases.Dense with { KeyValues = KeyValueType.Int8 }) / exact, 0.99, 1.01);
        foreach ((WeightKind rounded, WeightKind compensated) in new[] { (WeightKind.U4G32, WeightKind.U4G32Gptq), (WeightKind.U4G128, WeightKind.U4G128Gptq) })
        {
            double nearest = Perplexity(LlamaCases.Dense with { Weights = rounded }), gptq = Perplexity(LlamaCases.Dense with { Weights = compensated });
            Assert.True(exact < gptq && gptq < nearest, $"{exact} < {gptq} < {nearest}");
        }
        foreach (AttentionKind attention in new[] { AttentionKind.TokenSelect, AttentionKind.H2O, AttentionKind.SpAtten, AttentionKind.BlockSparse })
            Assert.InRange(Perplexity(LlamaCases.Dense with { Attention = attention, Keep = 0.5 }) / exact, 0.99, 1.01);

        double Perplexity(LlamaOptions options)
        {
            using var model = new LlamaModel(checkpoint, options, calibration);
            return Evaluation.Run(model, text, default).Perplexity;
        }
    }

    private static int[] Write(ICheckpoint checkpoint, int firstSeed)
    {
        ITokenizer tokenizer = Files.OpenTokenizer(checkpoint.Shape);
        using var output = new MemoryStream();
        using var model = new LlamaModel(checkpoint, LlamaCases.Dense);
        for (int seed = firstSeed; seed < firstSeed + Stories; seed++)
        {
            model.Reset();
            Generation.Run(model, tokenizer, new Sampler(temperature: 0.8, topK: 0, topP: 1, seed), "", checkpoint.Shape.ContextLength, output, default);
            output.WriteByte((byte)'\n');
        }
        return tokenizer.Encode(Encoding.UTF8.GetString(output.ToArray()));
    }
}
