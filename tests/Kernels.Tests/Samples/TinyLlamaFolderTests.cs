using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>Folders of Hugging Face: the same model as llama2.c's, in one file or in shards, in each type, and quantised.</summary>
public sealed class TinyLlamaFolderTests
{
    private static LlamaOptions Options(WeightKind weights) => new(weights, AttentionKind.Dense, KeyValueType.Float32, Keep: 1);

    private static float[] Logits(ICheckpoint checkpoint, WeightKind weights = WeightKind.F32)
    {
        using var model = new LlamaModel(checkpoint, Options(weights));
        int[] tokens = [1, 5, 3, 8, 2, 9, 4, 30, 30, 11];
        var logits = new float[tokens.Length * checkpoint.Shape.VocabularySize];
        model.Forward(tokens, logits);
        return logits;
    }

    private static float[] Logits(LlamaFolder folder, WeightKind weights = WeightKind.F32)
    {
        using var checkpoint = new HuggingFaceCheckpoint(folder.Path);
        return Logits(checkpoint, weights);
    }

    private static void AssertSameBits(float[] expected, float[] actual) =>
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));

    // Row (h, i + j d/2) of Hugging Face's queries and keys is row (h, 2 i + j) of llama2.c's.
    private static float[] ToHalves(float[] rows, int rowLength, int headDimension)
    {
        var halves = new float[rows.Length];
        int pairs = headDimension / 2;
        for (int row = 0; row < rows.Length / rowLength; row++)
        {
            int head = row / headDimension, place = row % headDimension;
            rows.AsSpan((head * headDimension + 2 * (place % pairs) + place / pairs) * rowLength, rowLength).CopyTo(halves.AsSpan(row * rowLength));
        }
        return halves;
    }

    private static LlamaFolder FolderOf(Llama2CheckpointFile checkpoint)
    {
        LlamaShape shape = checkpoint.Shape;
        return new LlamaFolder(shape, name => name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("k_proj", StringComparison.Ordinal)
            ? ToHalves(checkpoint.Read(name).ToArray(), shape.Dimension, shape.HeadDimension) : checkpoint.Read(name).ToArray());
    }

    [Fact]
    public void BothKindsOfRotaryPairsTurnAlikeToTheBit()
    {
        LlamaShape shape = LlamaFolder.SmallShape;
        float[] row = MixedPrecisionGemmCases.Normal(shape.Dimension, seed: 3), halves = ToHalves(row, rowLength: 1, shape.HeadDimension);
        for (int position = 0; position < shape.ContextLength; position++)
        {
            new RotaryTable(shape with { RotaryPairs = RotaryPairs.Neighbours }).Turn(row, position);
            new RotaryTable(shape with { RotaryPairs = RotaryPairs.Halves }).Turn(halves, position);
            AssertSameBits(ToHalves(row, rowLength: 1, shape.HeadDimension), halves);
        }
    }

    [SkippableFact]
    public void TheStoryIsTheSameFromAFolder()
    {
        string expected = File.ReadAllText(SharedData.Find("models/stories260K/expected_greedy_200.txt"));
        using var file = new Llama2CheckpointFile(SharedData.Find("models/stories260K/stories260K.bin"));
        using LlamaFolder folder = FolderOf(file).Write();
        var files = new ModelFiles(folder.Path, folder.Path, LongestContext: 400);
        using ICheckpoint checkpoint = files.OpenModel();
        Assert.Equal(400, checkpoint.Shape.ContextLength);
        File.WriteAllText(folder.File("tokenizer.json"), TokenizerFixtures.FromLlama2(SharedData.Find("models/stories260K/tok512.bin")).ToJsonString());
        ITokenizer tokenizer = files.OpenTokenizer(checkpoint.Shape);
        using var model = new LlamaModel(checkpoint, Options(WeightKind.F32));
        using var output = new MemoryStream();
        Generation.Run(model, tokenizer, new Sampler(0, 0, 1, 1), "", 200, output, default);
        Assert.Equal(expected.TrimEnd(), Encoding.UTF8.GetString(output.ToArray()).TrimEnd());
        // Sums over a head run in another order: rounding differs, no more.
        float[] fromFile = Logits(file), fromFolder = Logits(checkpoint);
        for (int i = 0; i < fromFile.Length; i++)
            Assert.Equal(fromFile[i], fromFolder[i], 2e-4f);
    }

    [Theory]
    [InlineData(TensorType.Float16)]
    [InlineData(TensorType.BFloat16)]
    public void NarrowTypesAreWidenedExactlyAndOnce(TensorType type)
    {
        using LlamaFolder narrow = LlamaFolder.Random(type).Write();
        float[] Rounded(string name) =>
            Array.ConvertAll(LlamaFolder.RandomWeights(name, LlamaFolder.SmallShape), weight => type == TensorType.Float16 ? (float)(Half)weight
            : (BrainFloat16)weight);
        using LlamaFolder wide = new LlamaFolder(LlamaFolder.SmallShape, Rounded).Write();
        AssertSameBits(Logits(wide), Logits(narrow));
        using var checkpoint = new HuggingFaceCheckpoint(narrow.Path);
        ReadOnlyMemory<float> embedding = checkpoint.Read(TensorNames.Embedding);
        Assert.True(embedding.Equals(checkpoint.Read(TensorNames.Embedding)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void FloatsAreUsedWhereTheyAreMapped(int shards)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        using LlamaFolder whole = LlamaFolder.Random().Write();
        folder.ShardCount = shards;
        folder.Write();
        using var checkpoint = new HuggingFaceCheckpoint(folder.Path);
        Assert.Equal(Directory.GetFiles(folder.Path, "*.safetensors").Sum(file => new FileInfo(file).Length), checkpoint.MappedBytes);
        foreach ((string name, _) in checkpoint.Shape.Tensors)
        {
            ReadOnlyMemory<float> first = checkpoint.Read(name), second = checkpoint.Read(name);
            Assert.False(MemoryMarshal.TryGetArray(first, out _), $"{name} was copied");
            Assert.True(System.Runtime.CompilerServices.Unsafe.AreSame(ref MemoryMarshal.GetReference(first.Span), ref MemoryMarshal.GetReference(second.Span)),
                name);
            Assert.Equal(LlamaFolder.RandomWeights(name, checkpoint.Shape), first.ToArray());
        }
        AssertSameBits(Logits(whole), Logits(checkpoint));
    }

    [Fact]
    public void TheClassifierMayBeTheEmbedding()
    {
        using LlamaFolder tied = new LlamaFolder(LlamaFolder.SmallShape with { SharesClassifier = true }, name =>
            LlamaFolder.RandomWeights(name, LlamaFolder.SmallShape)).Write();
        using LlamaFolder apart = new LlamaFolder(
            LlamaFolder.SmallShape, name => LlamaFolder.RandomWeights(name == TensorNames.Classifier ? TensorNames.Embedding : name, LlamaFolder.SmallShape))
            .Write();
        AssertSameBits(Logits(apart), Logits(tied));
    }

    [Theory]
    [InlineData("gptq", QuantizedType.U4, "gptq", false)]
    [InlineData("gptq", QuantizedType.U4ZeroPoint, "gptq_v2", false)]
    [InlineData("gptq", QuantizedType.U4ZeroPoint, "gptq", true)]
    [InlineData("gptq", QuantizedType.U8, "gptq", true)]
    [InlineData("awq", QuantizedType.U4ZeroPoint, "GEMM", false)]
    public void QuantizedFoldersAreTheModelOfTheirWeights(string method, QuantizedType type, string version, bool isScattered)
    {
        using LlamaFolder folder = LlamaFolder.Random(TensorType.Float16), floats = LlamaFolder.Random(TensorType.Float16);
        Quantize(folder, floats, method, type, version, isScattered);
        folder.Write();
        floats.Write();
        using var checkpoint = new HuggingFaceCheckpoint(folder.Path);
        using var expected = new HuggingFaceCheckpoint(floats.Path);
        foreach ((string name, long[] dimensions) in checkpoint.Shape.Tensors)
        {
            Assert.Equal(dimensions.Length == 2 && name.StartsWith("model.layers", StringComparison.Ordinal), checkpoint.ReadQuantized(name) is not null);
            AssertSameBits(expected.Read(name).ToArray(), checkpoint.Read(name).ToArray());
        }
        float[] exact = Logits(expected);
        AssertSameBits(exact, Logits(checkpoint));
        float[] packed = Logits(checkpoint, WeightKind.Stored);
        float largest = exact.Max(Math.Abs);
        for (int i = 0; i < exact.Length; i++)
            Assert.Equal(exact[i], packed[i], 1e-4f * largest);
        Assert.Equal(new FileInfo(folder.File("model.safetensors")).Length, checkpoint.MappedBytes);
    }

    private static void Quantize(LlamaFolder folder, LlamaFolder floats, string method, QuantizedType type, string version, bool isScattered)
    {
        const int groupSize = 16;
        var format = new QuantizationFormat(type, groupSize);
        folder.Config["quantization_config"] = new JsonObject
        {
            ["quant_method"] = method,
            ["bits"] = type is QuantizedType.U8 ? 8 : 4,
            ["group_size"] = groupSize,
            ["desc_act"] = isScattered,
            [method == "awq" ? "version" : "checkpoint_format"] = version,
        };
        foreach ((string part, int rows, int columns) in LlamaFolder.SmallShape.LayerMatrices)
        {
            for (int index = 0; index < LlamaFolder.SmallShape.LayerCount; index++)
            {
                string name = TensorNames.Layer(index, part);
                StoredLayer layer = StoredLayer.Random(name[..^".weight".Length], rows, columns, format, isScattered, seed: index + rows + part.Length);
                // Weights of a model are small; the scales stay numbers that f16 holds.
                layer = layer with { Scales = [.. layer.Scales.Select(scale => scale / (type is QuantizedType.U8 ? 1024 : 64))] };
                Dictionary<string, (TensorInfo Info, Array Elements)> tensors = method == "awq" ? layer.Awq()
                    : layer.Gptq(version == "gptq_v2" ? GptqVersion.V2 : GptqVersion.V1);
                tensors["bias"] = (tensors["bias"].Info, new float[rows]);
                folder.Replace(name, tensors);
                var weights = new float[rows * columns];
                layer.Pack().Dequantize(weights);
                floats.Tensors[name] = (new TensorInfo(name, TensorType.Float32, rows, columns), weights);
            }
        }
    }

    [Fact]
    public void AutoGptqsOwnFileSaysHowMatricesAreQuantised()
    {
        using LlamaFolder folder = LlamaFolder.Random(), floats = LlamaFolder.Random();
        Quantize(folder, floats, "gptq", QuantizedType.U4, "gptq", isScattered: false);
        float[] expected = Logits(floats.Write());
        folder.Config.Remove("quantization_config");
        folder.Write();
        File.WriteAllText(folder.File("quantize_config.json"), """{"bits": 4, "group_size": 16, "damp_percent": 0.01, "desc_act": false, "sym": true}""");
        AssertSameBits(expected, Logits(folder));
    }

    [Fact]
    public void Llama3sRotaryScalingFollowsItsWavelengths()
    {
        const double factor = 8, low = 1, high = 4, trained = 8192;
        var scaling = new RotaryScaling((float)factor, (float)low, (float)high, (int)trained);
        for (int pair = 0; pair < 64; pair++)
        {
            double angle = Math.Pow(500_000, -pair / 64.0), wavelength = 2 * Math.PI / angle;
            double smooth = (trained / wavelength - low) / (high - low);
            double expected = wavelength > trained / low ? angle / factor : wavelength < trained / high ? angle : (1 - smooth) * angle / factor + smooth
                * angle;
            Assert.InRange(scaling.Scale((float)angle) / expected, 1 - 1e-5, 1 + 1e-5);
        }
        using LlamaFolder folder = LlamaFolder.Random();
        folder.Config["rope_scaling"] = new JsonObject
        {
            ["rope_type"] = "llama3",
            ["factor"] = factor,
            ["low_freq_factor"] = low,
            ["high_freq_factor"] = high,
            ["original_max_position_embeddings"] = (int)trained,
        };
        Assert.Equal(scaling, HuggingFaceConfig.Read(folder.Write().Path).Shape.RotaryScaling);
    }
}
