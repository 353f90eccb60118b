using System.Text;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>The sample model: llama2.c's text to the letter, and what rounding weights, keys and values costs.</summary>
public sealed class TinyLlamaTests
{
    private const string Model = "models/stories260K/";

    private static string File(string name) => SharedData.Find(Model + name);

    private static LlamaOptions Options(WeightKind weights, AttentionKind attention = AttentionKind.Dense, KeyValueType keyValues = KeyValueType.Float32, double keep = 1) =>
        new(weights, attention, keyValues, keep);

    private static double Perplexity(ICheckpoint checkpoint, int[] tokens, LlamaOptions options, Calibration? calibration = null)
    {
        using var model = new LlamaModel(checkpoint, options, calibration);
        return Evaluation.Run(model, tokens, default).Perplexity;
    }

    [SkippableFact]
    public void GreedyTextIsLlama2Cs()
    {
        string expected = System.IO.File.ReadAllText(File("expected_greedy_200.txt"));
        using var checkpoint = new Llama2CheckpointFile(File("stories260K.bin"));
        var tokenizer = new Llama2Tokenizer(File("tok512.bin"), checkpoint.Shape.VocabularySize);
        using var model = new LlamaModel(checkpoint, Options(WeightKind.F32));
        using var output = new MemoryStream();
        GenerationReport report = Generation.Run(model, tokenizer, new Sampler(0, 0, 1, 1), "", 200, output, default);
        Assert.Equal(expected.TrimEnd(), Encoding.UTF8.GetString(output.ToArray()).TrimEnd());
        Assert.Equal(200, report.NewTokens);
    }

    [SkippableFact]
    public void RoundingCostsLittleAndGptqLess()
    {
        using var checkpoint = new Llama2CheckpointFile(File("stories260K.bin"));
        var tokenizer = new Llama2Tokenizer(File("tok512.bin"), checkpoint.Shape.VocabularySize);
        int[] tokens = tokenizer.Encode(System.IO.File.ReadAllText(File("expected_greedy_200.txt")));
        Calibration calibration = Calibration.Of(checkpoint, tokens);
        double exact = Perplexity(checkpoint, tokens, Options(WeightKind.F32));
        double nearest = Perplexity(checkpoint, tokens, Options(WeightKind.U4G32)), gptq = Perplexity(checkpoint, tokens, Options(WeightKind.U4G32Gptq), calibration);
        Assert.InRange(exact, 1, 2);
        // A model of 64 dimensions feels eight bits more than large ones do: 0.6 % here.
        Assert.InRange(Perplexity(checkpoint, tokens, Options(WeightKind.Int8)) / exact, 0.99, 1.01);
        Assert.InRange(Perplexity(checkpoint, tokens, Options(WeightKind.F32, keyValues: KeyValueType.Float16)) / exact, 0.999, 1.001);
        Assert.True(exact < gptq && gptq < nearest, $"{exact} < {gptq} < {nearest}");
    }

    [SkippableTheory]
    [InlineData((int)AttentionKind.TokenSelect)]
    [InlineData((int)AttentionKind.H2O)]
    public void SparseAttentionThatKeepsAllIsDense(int attention)
    {
        using var checkpoint = new Llama2CheckpointFile(File("stories260K.bin"));
        float[] dense = Logits(checkpoint, Options(WeightKind.F32)), sparse = Logits(checkpoint, Options(WeightKind.F32, (AttentionKind)attention, keep: 2));
        Assert.Equal(dense.Select(BitConverter.SingleToInt32Bits), sparse.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void ChunksAndSingleTokensAgree()
    {
        using var folder = new TemporaryFolder();
        using var checkpoint = new Llama2CheckpointFile(RandomCheckpoint(folder.File("random.bin")));
        int[] tokens = [1, 5, 3, 8, 2, 9, 4];
        using var whole = new LlamaModel(checkpoint, Options(WeightKind.F32));
        using var single = new LlamaModel(checkpoint, Options(WeightKind.F32));
        var expected = new float[tokens.Length * checkpoint.Shape.VocabularySize];
        whole.Forward(tokens, expected);
        for (int i = 0; i < tokens.Length; i++)
        {
            var logits = new float[checkpoint.Shape.VocabularySize];
            single.Forward([tokens[i]], logits);
            for (int token = 0; token < logits.Length; token++)
                Assert.Equal(expected[i * logits.Length + token], logits[token], 1e-5f);
        }
    }

    [Fact]
    public void DamagedCheckpointsAreRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] sound = System.IO.File.ReadAllBytes(RandomCheckpoint(folder.File("sound.bin")));
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            byte[] damaged = round % 2 == 0 ? sound[..random.Next(sound.Length)] : [.. sound];
            if (round % 2 == 1)
                damaged[random.Next(28)] ^= (byte)(1 << random.Next(8));
            string path = folder.File("damaged.bin");
            System.IO.File.WriteAllBytes(path, damaged);
            InvalidDataException refused = Assert.Throws<InvalidDataException>(() => new Llama2CheckpointFile(path).Dispose());
            Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        }
    }

    private static float[] Logits(ICheckpoint checkpoint, LlamaOptions options)
    {
        using var model = new LlamaModel(checkpoint, options);
        var logits = new float[checkpoint.Shape.VocabularySize];
        for (int token = 1; token < 40; token++)
            model.Forward([token], logits);
        return logits;
    }

    // The legacy form: seven sizes, then weights.
    private static string RandomCheckpoint(string path)
    {
        int dimension = 8, hidden = 12, layers = 2, heads = 2, kvHeads = 1, vocabulary = 11, context = 16, kv = dimension / heads * kvHeads;
        int count = vocabulary * dimension + layers * (2 * dimension + 2 * dimension * dimension + 2 * kv * dimension + 3 * hidden * dimension) + dimension + context * (dimension / heads);
        var random = new Random(1);
        using var writer = new BinaryWriter(System.IO.File.Create(path));
        foreach (int size in (int[])[dimension, hidden, layers, heads, kvHeads, vocabulary, context])
            writer.Write(size);
        for (int i = 0; i < count; i++)
            writer.Write(random.NextSingle() - 0.5f);
        return path;
    }
}
