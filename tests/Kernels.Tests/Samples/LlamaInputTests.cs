using System.Text;
using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>
/// Whatever the sample programs are given, they end with a table or a text, or with one line that says what is wrong, and never in a stack trace.
/// </summary>
public sealed class LlamaInputTests : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static async Task<(int Code, string Errors)> Run(params string[] args)
    {
        using StringWriter output = new(), errors = new();
        int code = await CommandLine.RunAsync(args, () => new MemoryStream(), output, errors);
        Assert.DoesNotContain("   at ", errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", errors.ToString(), StringComparison.Ordinal);
        return (code, errors.ToString());
    }

    private static async Task<string> Refusal(params string[] args)
    {
        (int code, string errors) = await Run(args);
        Assert.Equal(1, code);
        Assert.Single(errors.TrimEnd().ReplaceLineEndings("\n").Split('\n'));
        return errors;
    }

    // A model whose tokens are bytes, with two more.
    private static LlamaFolder Bytes()
    {
        LlamaShape shape = LlamaFolder.SmallShape with { VocabularySize = 260 };
        var folder = new LlamaFolder(shape, name => LlamaFolder.RandomWeights(name, shape));
        folder.Config["bos_token_id"] = 256;
        JsonObject json = TokenizerFixtures.ByteLevel(false);
        json["added_tokens"] = new JsonArray(TokenizerFixtures.Added(256, "<|begin|>"), TokenizerFixtures.Added(257, "<|end|>"));
        File.WriteAllText(folder.File("tokenizer.json"), json.ToJsonString());
        return folder;
    }

    [Theory]
    [InlineData("f32", float.NaN)]
    [InlineData("int8", float.NaN)]
    [InlineData("u4g32", float.NaN)]
    [InlineData("int8", float.PositiveInfinity)]
    [InlineData("u4g128", float.NegativeInfinity)]
    [InlineData("stored", float.NaN)]
    public async Task WeightsThatAreNoNumbersAreNamed(string weights, float value)
    {
        using LlamaFolder folder = Bytes();
        ((float[])folder.Tensors[Query + ".weight"].Elements)[35] = value;
        folder.Write();
        string message = await Refusal("generate", folder.Path, folder.Path, "--weights", weights, "--prompt", "ab", "--steps", "4");
        Assert.Contains($"{folder.File("model.safetensors")}: {Query}.weight: the weight of output 1, input 3 is {value}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.norm.weight")]
    [InlineData("model.layers.1.input_layernorm.weight")]
    [InlineData("lm_head.weight")]
    public async Task SoAreThoseOfNormsAndInEvaluationAndCalibration(string name)
    {
        using LlamaFolder folder = Bytes();
        ((float[])folder.Tensors[name].Elements)[2] = float.NaN;
        folder.Write();
        string text = _folder.File("text.txt");
        File.WriteAllText(text, "some bytes to be read");
        foreach (string weights in (string[])["f32", "u4g32-gptq"])
            Assert.Contains($"{name}: the weight of output 0, input 2 is NaN",
                await Refusal("eval", folder.Path, folder.Path, text, "--calibration", text, "--weights", weights), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> ForeignFiles => new()
    {
        { "GGUF\u0003\0\0\0", "GGUF" },
        { "PK\u0003\u0004\u0014\0", "zip archive" },
        { "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git-lfs" },
        { "<!DOCTYPE html><html></html>", "web page" },
        { "\u0008\u0007\u0012\u0007pytorch", "ONNX" },
        { "\u0010\0\0\0\0\0\0\0{\"x\":1}", "safetensors" },
        { "", "too short" },
        { "short", "too short" },
    };

    [Theory]
    [MemberData(nameof(ForeignFiles))]
    public async Task FilesOfOtherProgramsAreNamed(string content, string kind)
    {
        string path = _folder.File("model.bin");
        byte[] bytes = Encoding.Latin1.GetBytes(content);
        File.WriteAllBytes(path, bytes.Length is > 0 and < 28 && content != "short" ? [.. bytes, .. new byte[300]] : bytes);
        string message = await Refusal("generate", path, path);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(kind, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("generate absent.bin absent.bin")]
    [InlineData("generate absent absent")]
    [InlineData("generate EMPTY EMPTY")]
    [InlineData("generate FOLDER FOLDER")]
    [InlineData("generate MODEL absent.bin")]
    [InlineData("generate MODEL EMPTY")]
    [InlineData("generate MODEL FOLDER")]
    [InlineData("generate MODEL MODEL")]
    [InlineData("eval MODEL TOKENIZER absent.txt")]
    [InlineData("eval MODEL TOKENIZER FOLDER")]
    [InlineData("eval MODEL TOKENIZER EMPTY")]
    [InlineData("eval MODEL TOKENIZER TOKENIZER --plot FOLDER")]
    [InlineData("eval MODEL TOKENIZER TOKENIZER --plot absent/plot.svg")]
    [InlineData("eval MODEL TOKENIZER TOKENIZER --weights u4g32-gptq --calibration absent.txt")]
    [InlineData("eval MODEL TOKENIZER TOKENIZER --weights u4g32-gptq --calibration EMPTY")]
    [InlineData("make-model FOLDER --shape 15m")]
    [InlineData("make-model absent/model.bin --shape 15m")]
    [InlineData("make-model EMPTY --shape 15m")]
    [InlineData("generate MODEL TOKENIZER --steps 3 --prompt LONG")]
    public async Task PathsThatLeadNowhereEndInALine(string command)
    {
        ModelFiles files = LlamaCases.Random(_folder);
        string[] args = [.. command.Split(' ')
            .Select(word => word switch { "FOLDER" => _folder.Path, "MODEL" => files.Model, "TOKENIZER" => files.Tokenizer, "EMPTY" => "", "LONG" =>
            "many words", _ => word.StartsWith("absent", StringComparison.Ordinal) ? _folder.File(word) : word })];
        await Refusal(args);
    }

    [Theory]
    [InlineData("--steps", "0")]
    [InlineData("--steps", "99999999999999999999")]
    [InlineData("--steps", "ten")]
    [InlineData("--context", "-1")]
    [InlineData("--temperature", "NaN")]
    [InlineData("--temperature", "Infinity")]
    [InlineData("--temperature", "1e-320")]
    [InlineData("--temperature", "-1")]
    [InlineData("--keep", "0")]
    [InlineData("--keep", "NaN")]
    [InlineData("--top-p", "1.5")]
    [InlineData("--top-k", "-1")]
    [InlineData("--seed", "1e9")]
    [InlineData("--weights", "f16")]
    [InlineData("--whatever", "1")]
    public async Task NumbersThatMeanNothingAreRefused(string option, string value)
    {
        ModelFiles files = LlamaCases.Random(_folder);
        Assert.Equal(1, (await Run("generate", files.Model, files.Tokenizer, option, value)).Code);
    }

    [Theory]
    [InlineData("--steps", "2147483647")]
    [InlineData("--context", "2147483647")]
    [InlineData("--top-k", "2147483647")]
    [InlineData("--temperature", "1e300")]
    [InlineData("--keep", "1e-300")]
    public async Task HugeNumbersAreTaken(string option, string value)
    {
        ModelFiles files = LlamaCases.Random(_folder, LlamaCases.Small with { ContextLength = 8 });
        Assert.Equal(0, (await Run("generate", files.Model, files.Tokenizer, option, value)).Code);
    }

    // Version 1 of llama2.c: the header, 256 bytes, and two norms of a layer and a final one, an embedding and seven matrices of the smallest sizes.
    private string Tiny(int context, int layers = 1, bool isLegacy = false)
    {
        const int dimension = 2, hidden = 1, vocabulary = 1;
        string path = _folder.File("tiny.bin");
        using var writer = new BinaryWriter(File.Create(path));
        if (!isLegacy)
        {
            writer.Write(0x616b3432);
            writer.Write(1);
        }
        foreach (int size in (int[])[dimension, hidden, layers, 1, 1, vocabulary, context])
            writer.Write(size);
        if (!isLegacy)
        {
            writer.Write((byte)1);
            writer.Write(new byte[256 - (int)writer.BaseStream.Position]);
        }
        int floats = 2 * dimension + dimension + vocabulary * dimension + 4 * dimension * dimension + 3 * dimension * hidden;
        for (int i = 0; i < floats; i++)
            writer.Write(0.5f);
        return path;
    }

    [Theory]
    [InlineData((int)AttentionKind.Dense)]
    [InlineData((int)AttentionKind.TokenSelect)]
    [InlineData((int)AttentionKind.BlockSparse)]
    public void AContextThatAHeaderNamesTakesNoMemory(int attention)
    {
        string path = Tiny(context: 1 << 27);
        Assert.InRange(new FileInfo(path).Length, 1, 424);
        using ICheckpoint checkpoint = new ModelFiles(path, path, LongestContext: 2048).OpenModel();
        Assert.Equal(2048, checkpoint.Shape.ContextLength);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var model = new LlamaModel(checkpoint, LlamaCases.Dense with { Attention = (AttentionKind)attention });
        model.Forward([0, 0, 0], new float[1]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.InRange(model.CacheBytes, 0, 1 << 20);
    }

    [Fact]
    public void RotaryTablesGrowWithPositionsToTheSameBits()
    {
        LlamaShape large = LlamaFolder.SmallShape with { ContextLength = 1 << 24 }, small = LlamaFolder.SmallShape with { ContextLength = 200 };
        var table = new RotaryTable(large);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (int position in (int[])[0, 63, 64, 199, 3])
        {
            float[] grown = MixedPrecisionGemmCases.Normal(large.Dimension, seed: 3), whole = [.. grown];
            table.Turn(grown, position);
            // The whole table at once.
            var other = new RotaryTable(small);
            other.Turn(new float[small.Dimension], small.ContextLength - 1);
            other.Turn(whole, position);
            Assert.Equal(whole.Select(BitConverter.SingleToInt32Bits), grown.Select(BitConverter.SingleToInt32Bits));
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(int.MaxValue, 1, false)]
    [InlineData(8, int.MaxValue, false)]
    [InlineData(int.MaxValue, 1, true)]
    [InlineData(1 << 30, 1, true)]
    [InlineData(-8, 1, true)]
    public void SizesThatTheFileDoesNotHoldAreRefused(int context, int layers, bool isLegacy)
    {
        string path = Tiny(context, layers, isLegacy);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => new Llama2CheckpointFile(path)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void ATokenizerIsHeldAgainstItsLengthBeforeAnythingIsMade()
    {
        string path = _folder.File("tokenizer.bin");
        File.WriteAllBytes(path, new byte[100]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("do not hold", Assert.Throws<InvalidDataException>(() => new Llama2Tokenizer(path, int.MaxValue)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 16);
    }

    [Theory]
    [InlineData("\"initializer_range\": Infinity", null)]
    [InlineData("\"unused\": [NaN, -Infinity, \"NaN \\\" Infinity\"]", null)]
    [InlineData("\"unused\": 1, \"unused\": 2", null)]
    [InlineData("\"vocab_size\": 260", null)]
    [InlineData("\"vocab_size\": 261", "vocab_size: this is there twice")]
    [InlineData("\"rope_theta\": NaN", "rope_theta")]
    [InlineData("\"head_dim\": Infinity", "head_dim")]
    public void ConfigsAsPythonWritesThemAreRead(string more, string? refused)
    {
        using LlamaFolder folder = Bytes().Write();
        string config = folder.Config.ToJsonString().Replace("\"rope_theta\":10000,", "", StringComparison.Ordinal);
        File.WriteAllText(folder.File("config.json"), $"{config[..^1]}, {more}}}");
        Exception? refusal = Record.Exception(() => HuggingFaceConfig.Read(folder.Path));
        Assert.Equal(refused is null, refusal is null);
        if (refused is not null)
            Assert.Contains(refused, Assert.IsType<InvalidDataException>(refusal).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWholeFileIsReadThoughAStaleIndexStandsBeside()
    {
        using LlamaFolder folder = LlamaFolder.Random().Write();
        folder.WriteIndex(new JsonObject { [TensorNames.Embedding] = "model-00001-of-00002.safetensors" });
        using var checkpoint = new HuggingFaceCheckpoint(folder.Path);
        Assert.Equal(LlamaFolder.RandomWeights(TensorNames.Embedding, checkpoint.Shape), checkpoint.Read(TensorNames.Embedding).ToArray());
    }

    public static TheoryData<string, bool, string> Declarations => new()
    {
        { """{"quant_method":"gptq","bits":4,"group_size":16,"sym":true,"checkpoint_format":"gptq"}""", true, "" },
        { """{"quant_method":"gptq","bits":4,"group_size":16,"sym":true,"checkpoint_format":"gptq_v2"}""", false, "qzeros" },
        { """{"quant_method":"gptq","bits":4,"group_size":16,"sym":true,"format":"gptq_v2"}""", false, "qzeros" },
        { """{"quant_method":"gptq","bits":4,"group_size":16,"sym":true,"checkpoint_format":"gptq","format":"gptq_v2"}""", false, "format" },
        { """{"quant_method":"gptq","bits":8,"group_size":16}""", false, "model.layers" },
        { """{"quant_method":"gptq","bits":4,"group_size":16,"dynamic":{"+:.*down.*":{"bits":8}}}""", false, "dynamic" },
        { """{"quant_method":"gptq","bits":4,"group_size":16,"dynamic":{}}""", true, "" },
        { """{"quant_method":"auto-round","packing_format":"auto_round:auto_gptq","bits":4,"group_size":16,"sym":true}""", true, "" },
        { """{"quant_method":"auto-round","bits":4,"group_size":16,"sym":true}""", true, "" },
        { """{"quant_method":"auto-round","packing_format":"auto_round:gptqmodel","bits":4,"group_size":16,"sym":true}""", false, "qzeros" },
        { """{"quant_method":"auto-round","packing_format":"auto_round:fp8","bits":4,"group_size":16,"sym":true}""", false, "auto_round:fp8" },
        { """{"quant_method":"auto-round","bits":4,"group_size":16,"extra_config":{"lm_head":{"bits":8}}}""", false, "extra_config" },
    };

    [Theory]
    [MemberData(nameof(Declarations))]
    public void AFolderIsHeldAgainstItsOwnWords(string declaration, bool isRead, string named)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        StoredLayer layer = StoredLayer.Random(Query, 32, 32, new(QuantizedType.U4, 16), isScattered: false, seed: 5);
        Dictionary<string, (TensorInfo Info, Array Elements)> parts = layer.Gptq(GptqVersion.V1);
        parts["bias"] = (parts["bias"].Info, new float[32]);
        folder.Config["quantization_config"] = JsonNode.Parse(declaration);
        folder.Replace(Query + ".weight", parts);
        folder.Write();
        foreach (string path in (string[])[folder.Path, folder.File("model.safetensors")])
        {
            Exception? refusal = Record.Exception(() =>
            {
                using var checkpoint = new HuggingFaceCheckpoint(path);
                Assert.NotNull(checkpoint.ReadQuantized(Query + ".weight"));
            });
            Assert.True(isRead ? refusal is null : refusal is InvalidDataException or TensorFileException, $"{refusal}");
            Assert.Contains(named, refusal?.Message ?? "", StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("NaN")]
    [InlineData("1e-320")]
    [InlineData("warm")]
    [InlineData("")]
    [InlineData("0.7 ABSENT")]
    [InlineData("0.7 FOLDER")]
    [InlineData("0.7 ODD")]
    [InlineData("0.7 NAN")]
    [InlineData("0.7 NONE")]
    [InlineData("1 2 3")]
    public void NextTokenEndsInALine(string words)
    {
        File.WriteAllBytes(_folder.File("odd"), new byte[7]);
        File.WriteAllBytes(_folder.File("nan"), BitConverter.GetBytes(float.NaN));
        File.WriteAllBytes(_folder.File("none"), BitConverter.GetBytes(float.NegativeInfinity));
        string[] args = [.. words.Split(' ')
            .Select(word => word == "FOLDER" ? _folder.Path : word is "ABSENT" or "ODD" or "NAN" or "NONE" ? _folder.File(word.ToLowerInvariant()) : word)];
        using StringWriter output = new(), errors = new();
        Assert.Equal(1, NextToken.NextTokens.Run(args, output, errors));
        Assert.Single(errors.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public void NextTokenTakesVocabulariesOfAFewTokens()
    {
        File.WriteAllBytes(_folder.File("three"), [.. new[] { 0f, MathF.Log(3), float.NegativeInfinity }.SelectMany(BitConverter.GetBytes)]);
        using StringWriter output = new(), errors = new();
        Assert.Equal(0, NextToken.NextTokens.Run(["1", _folder.File("three")], output, errors));
        string[] lines = output.ToString().ReplaceLineEndings("\n").Split('\n');
        Assert.Matches(@"^ +1 +1 +75\.00 ?%$", lines[2]);
        Assert.Matches(@"^ +2 +0 +25\.00 ?%$", lines[3]);
    }
}
