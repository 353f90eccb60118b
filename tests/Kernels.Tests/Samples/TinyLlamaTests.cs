using System.Text;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>The sample model: llama2.c's text to the letter; texts in chunks; damaged files.</summary>
public sealed class TinyLlamaTests
{
    private const string Model = "models/stories260K/";

    private static string File(string name) => SharedData.Find(Model + name);

    [SkippableFact]
    public void GreedyTextIsLlama2Cs()
    {
        string expected = System.IO.File.ReadAllText(File("expected_greedy_200.txt"));
        using var checkpoint = new Llama2CheckpointFile(File("stories260K.bin"));
        var tokenizer = new Llama2Tokenizer(File("tok512.bin"), checkpoint.Shape.VocabularySize);
        using var model = new LlamaModel(checkpoint, LlamaCases.Dense);
        using var output = new MemoryStream();
        GenerationReport report = Generation.Run(model, tokenizer, new Sampler(0, 0, 1, 1), "", 200, output, default);
        Assert.Equal(expected.TrimEnd(), Encoding.UTF8.GetString(output.ToArray()).TrimEnd());
        Assert.Equal(200, report.NewTokens);
    }

    [Fact]
    public void ChunksAndSingleTokensAgree()
    {
        using var folder = new TemporaryFolder();
        using var checkpoint = new Llama2CheckpointFile(RandomCheckpoint(folder.File("random.bin")));
        int[] tokens = [1, 5, 3, 8, 2, 9, 4];
        using var whole = new LlamaModel(checkpoint, LlamaCases.Dense);
        using var single = new LlamaModel(checkpoint, LlamaCases.Dense);
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

    // The legacy form: seven sizes, then weights.
    private static string RandomCheckpoint(string path)
    {
        int dimension = 8, hidden = 12, layers = 2, heads = 2, kvHeads = 1, vocabulary = 11, context = 16, kv = dimension / heads * kvHeads;
        int count = vocabulary * dimension + layers * (2 * dimension + 2 * dimension * dimension + 2 * kv * dimension + 3 * hidden * dimension) + dimension
            + context * (dimension / heads);
        var random = new Random(1);
        using var writer = new BinaryWriter(System.IO.File.Create(path));
        foreach (int size in (int[])[dimension, hidden, layers, heads, kvHeads, vocabulary, context])
            writer.Write(size);
        for (int i = 0; i < count; i++)
            writer.Write(random.NextSingle() - 0.5f);
        return path;
    }
}
