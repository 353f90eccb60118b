using TinyLlama;

namespace Kernels.Tests;

/// <summary>Sparse attention of the sample model: dense where it keeps all, close to it where it keeps half.</summary>
public sealed class LlamaAttentionTests
{
    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 60).Select(i => 1 + i * 37 % 250)];

    // SpAtten weighs finished probabilities, which differ from dense decoding in the last bits.
    private const float SpAttenTolerance = 1e-4f;

    [Theory]
    [InlineData((int)AttentionKind.TokenSelect, 1)]
    [InlineData((int)AttentionKind.H2O, 1)]
    [InlineData((int)AttentionKind.SpAtten, 1)]
    [InlineData((int)AttentionKind.BlockSparse, 1)]
    [InlineData((int)AttentionKind.BlockSparse, 20)]
    public void KeepingAllIsDense(int attention, int chunk)
    {
        using var folder = new TemporaryFolder();
        using ICheckpoint checkpoint = LlamaCases.Random(folder).OpenModel();
        AssertSame(checkpoint, (AttentionKind)attention, chunk);
    }

    [SkippableTheory]
    [InlineData((int)AttentionKind.TokenSelect)]
    [InlineData((int)AttentionKind.H2O)]
    [InlineData((int)AttentionKind.SpAtten)]
    [InlineData((int)AttentionKind.BlockSparse)]
    public void KeepingAllOfARealModelIsDense(int attention)
    {
        using var checkpoint = new Llama2CheckpointFile(SharedData.Find("models/stories260K/stories260K.bin"));
        AssertSame(checkpoint, (AttentionKind)attention, chunk: 1);
    }

    [Theory]
    [InlineData((int)AttentionKind.TokenSelect)]
    [InlineData((int)AttentionKind.H2O)]
    [InlineData((int)AttentionKind.SpAtten)]
    [InlineData((int)AttentionKind.BlockSparse)]
    public void KeepingAFewIsNotDenseAndForgetsWithTheRest(int attention)
    {
        using var folder = new TemporaryFolder();
        using ICheckpoint checkpoint = LlamaCases.Random(folder).OpenModel();
        LlamaOptions few = LlamaCases.Dense with { Attention = (AttentionKind)attention, Keep = 0.1, KeepHeads = 0.5 };
        float[] dense = LlamaCases.Logits(checkpoint, LlamaCases.Dense, s_tokens, 1), sparse = LlamaCases.Logits(checkpoint, few, s_tokens, 1),
            again = new float[dense.Length];
        Assert.NotEqual(dense, sparse);
        Assert.All(sparse, logit => Assert.True(float.IsFinite(logit)));
        using var model = new LlamaModel(checkpoint, few);
        model.Forward(s_tokens, again);
        model.Reset();
        foreach (int token in s_tokens)
            model.Forward([token], again);
        Assert.Equal(sparse, again);
    }

    private static void AssertSame(ICheckpoint checkpoint, AttentionKind attention, int chunk)
    {
        float[] dense = LlamaCases.Logits(checkpoint, LlamaCases.Dense, s_tokens, chunk),
            sparse = LlamaCases.Logits(checkpoint, LlamaCases.Dense with { Attention = attention }, s_tokens, chunk);
        float tolerance = attention == AttentionKind.SpAtten ? SpAttenTolerance * dense.Max(Math.Abs) : 0;
        Assert.All(dense.Zip(sparse), pair => Assert.InRange(pair.Second - pair.First, -tolerance, tolerance));
    }
}
