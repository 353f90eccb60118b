namespace Kernels.Tests;

/// <summary>
/// Checkpoints against their own words: what config.json, quantize_config.json, __metadata__ and the caller say is held against the tensors, and a
/// contradiction is refused by file and tensor.
/// </summary>
public sealed class CheckpointDeclarationTests
{
    private const string Prefix = "model.layers.0.self_attn.q_proj", SingleName = "model.safetensors";
    private const int Outputs = 64, Inputs = 96, Groups = 3;

    private static StoredLayer MakeLayer(QuantizedType type, bool isScattered = false) =>
        StoredLayer.Random(Prefix, Outputs, Inputs, new(type, Inputs / Groups), isScattered, seed: 5);

    /// <summary>A file in which the inputs of a layer may be cut into groups that do not divide them.</summary>
    private static string WriteGroups(TemporaryFolder folder, string reader, int inputs, int groups)
    {
        string path = folder.File(SingleName);
        (string weights, string scales, long[] shape) = reader switch
        {
            "gptq" => ("qweight", "scales", [inputs / 8, Outputs]),
            "awq" => ("qweight", "scales", new long[] { inputs, Outputs / 8 }),
            _ => ("B", "s", [inputs / 16, Outputs * 2]),
        };
        List<(TensorInfo, Array)> tensors =
        [
            (new($"{Prefix}.{weights}", TensorType.Int32, shape), new int[shape[0] * shape[1]]),
            (new($"{Prefix}.{scales}", TensorType.Float16, groups, Outputs), Enumerable.Repeat(Half.One, groups * Outputs).ToArray()),
        ];
        if (reader != "marlin")
            tensors.Add((new($"{Prefix}.qzeros", TensorType.Int32, groups, Outputs / 8), new int[groups * Outputs / 8]));
        StoredLayer.Write(path, tensors);
        return path;
    }

    private static QuantizedWeights Load(string reader, string path, CheckpointDeclaration? declaration = null)
    {
        switch (reader)
        {
            case "gptq":
                using (GptqCheckpoint gptq = declaration is null ? GptqCheckpoint.Open(path) : GptqCheckpoint.Open(path, declaration))
                    return gptq.Load(Prefix);
            case "awq":
                using (AwqCheckpoint awq = AwqCheckpoint.Open(path, declaration))
                    return awq.Load(Prefix);
            default:
                using (MarlinCheckpoint marlin = MarlinCheckpoint.Open(path, declaration))
                    return marlin.Load(Prefix);
        }
    }

    public static TheoryData<string, int, int> DoubtfulGroups => new()
    {
        // 192 inputs in groups of 128: 128 and 64, or two of 96. 320 in 256: two of 160. 144 in 64: three of 48.
        { "gptq", 192, 2 }, { "awq", 192, 2 }, { "marlin", 192, 2 }, { "gptq", 320, 2 }, { "awq", 320, 2 }, { "marlin", 144, 3 },
    };

    [Theory]
    [MemberData(nameof(DoubtfulGroups))]
    public void GroupsThatTheShapesLeaveInDoubtAreRefusedUnlessDeclared(string reader, int inputs, int groups)
    {
        using var folder = new TemporaryFolder();
        string path = WriteGroups(folder, reader, inputs, groups);
        TensorFileException refused = Assert.Throws<TensorFileException>(() => Load(reader, path));
        Assert.Equal((path, $"{Prefix}.{(reader == "marlin" ? "s" : "scales")}"), (refused.FileName, refused.TensorName));
        Assert.Equal(inputs / groups, Load(reader, path, new() { GroupSize = inputs / groups }).Format.GroupSize);
        // The short last group is refused by its declared size, too, and so is a whole column in several parts.
        foreach (int other in new[] { 128, QuantizationFormat.WholeColumn, 1 << 30 })
            Assert.Throws<TensorFileException>(() => Load(reader, path, new() { GroupSize = other }));
        File.WriteAllText(folder.File("config.json"),
            $$$"""{"quantization_config":{"quant_method":"{{{(reader == "awq" ? "awq" : "gptq")}}}","bits":4,"group_size":128}}""");
        Assert.Contains("config.json", Assert.Throws<TensorFileException>(() => Load(reader, path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gptq", 1, 96)]
    [InlineData("awq", 3, 32)]
    [InlineData("marlin", 6, 16)]
    public void GroupsOfAPowerOfTwoAndWholeColumnsFollowFromTheShapes(string reader, int groups, int size)
    {
        using var folder = new TemporaryFolder();
        string path = WriteGroups(folder, reader, Inputs, groups);
        Assert.Equal(size, Load(reader, path).Format.GroupSize);
        Assert.Equal(size, Load(reader, path, new() { GroupSize = groups == 1 ? QuantizationFormat.WholeColumn : size }).Format.GroupSize);
    }

    [Fact]
    public void InferredPowersOfTwoAreNeverThoseOfAnotherPowerOfTwo()
    {
        // The proof of DeclaredLayer.GroupSize, by trial: no group of a power of two that leaves a short one has the shapes of whole groups of another.
        for (int inputs = 8; inputs <= 4096; inputs += 8)
        {
            for (int group = 16; group < inputs; group *= 2)
            {
                int count = (inputs + group - 1) / group;
                Assert.False(inputs % group != 0 && inputs % count == 0 && int.IsPow2(inputs / count), $"{inputs} inputs in groups of {group}");
            }
        }
    }

    [Theory]
    [InlineData("""{"rope_theta":Infinity,"eps":NaN,"low":-Infinity,"quantization_config":{"quant_method":"gptq","bits":4,"group_size":32}}""")]
    [InlineData("""{"quantization_config":{"quant_method":"gptq","bits":8,"group_size":64},"quantization_config":{"quant_method":"gptq","bits":4,"group_size":32}}""")]
    public void ConfigsAsPythonWritesThemAreRead(string config)
    {
        // Numbers that JSON lacks, where nothing asks for them; of a key that stands twice the last counts, as in Python.
        using var folder = new TemporaryFolder();
        string path = WriteGroups(folder, "gptq", Inputs, Groups);
        File.WriteAllText(folder.File("config.json"), config);
        Assert.Equal(Inputs / Groups, Load("gptq", path).Format.GroupSize);
        // Within quotes such words are text.
        File.WriteAllText(folder.File("config.json"), config.Replace("\"gptq\"", "\"NaN\"", StringComparison.Ordinal));
        Assert.Contains("NaN", Assert.Throws<TensorFileException>(() => Load("gptq", path)).Message, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Where something is said: beside the file or within it.</summary>
    private static void Say(TemporaryFolder folder, string place, string json, Dictionary<string, (TensorInfo Info, Array Elements)> tensors)
    {
        Dictionary<string, string>? metadata = null;
        switch (place)
        {
            case "config.json": File.WriteAllText(folder.File(place), $"{{\"model_type\":\"llama\",\"quantization_config\":{json}}}"); break;
            case "__metadata__":
                metadata = new() { ["format"] = "pt" };
                foreach (System.Text.Json.JsonProperty word in System.Text.Json.JsonElement.Parse(json).EnumerateObject())
                    metadata[$"gptq_{word.Name}"] = word.Value.ToString();
                break;
            default: File.WriteAllText(folder.File(place), json); break;
        }
        StoredLayer.Write(folder.File(SingleName), tensors.Values, metadata);
    }

    public static TheoryData<string, string, string> Contradictions
    {
        get
        {
            (string Json, string Reason)[] words =
            [
                ("""{"quant_method":"awq"}""", "method"),
                ("""{"method":"compressed-tensors"}""", "method"),
                ("""{"checkpoint_format":"marlin"}""", "format"),
                ("""{"format":"gptq_p"}""", "format"),
                ("""{"checkpoint_format":"gptq","format":"gptq_v2"}""", "format"),
                ("""{"quant_method":"gptq","method":"awq"}""", "method"),
                ("""{"is_marlin_format":true}""", "format"),
                ("""{"bits":8}""", "bits"),
                ("""{"bits":"four"}""", "bits"),
                ("""{"group_size":64}""", "groups"),
                ("""{"group_size":-1}""", "groups"),
                ("""{"group_size":-2}""", "group_size"),
                ("""{"sym":true}""", "symmetric"),
                ("""{"sym":true,"zero_point":true}""", "sym"),
                ("""{"desc_act":false}""", "act-order"),
                ("""{"rotation":"quarot"}""", "rotat"),
                ("""{"quant_method":"auto-round","packing_format":"auto_round:auto_awq"}""", "method"),
            ];
            var data = new TheoryData<string, string, string>();
            foreach (string place in new[] { "config.json", "quantize_config.json", "__metadata__" })
            {
                foreach ((string json, string reason) in words)
                    data.Add(place, json, reason);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void WhatAFileSaysAgainstItsTensorsIsRefused(string place, string json, string reason)
    {
        using var folder = new TemporaryFolder();
        StoredLayer layer = MakeLayer(QuantizedType.U4ZeroPoint, isScattered: true);
        Say(folder, place, json, layer.Gptq(GptqVersion.V1));
        // By the folder and by the file alone.
        foreach (string path in new[] { folder.Path, folder.File(SingleName) })
        {
            TensorFileException refused = Assert.Throws<TensorFileException>(() => Load("gptq", path));
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
            Assert.Contains(place, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
        // The caller's word stands in the place of the files'.
        QuantizedWeightsTests.AssertSame(layer.Pack(), Load("gptq", folder.Path, new() { Format = "gptq" }));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("quantize_config.json")]
    [InlineData("__metadata__")]
    public void ZeroPointsOfTheOtherVersionAreRefused(string place)
    {
        // Symmetric layers under the other format's name: every weight would be off by one scale.
        foreach ((GptqVersion stored, string said) in new[] { (GptqVersion.V2, "gptq"), (GptqVersion.V1, "gptq_v2") })
        {
            foreach (QuantizedType type in new[] { QuantizedType.U4, QuantizedType.U8 })
            {
                using var folder = new TemporaryFolder();
                StoredLayer layer = MakeLayer(type);
                Say(folder, place, $$"""{"quant_method":"gptq","sym":true,"checkpoint_format":"{{said}}"}""", layer.Gptq(stored));
                TensorFileException refused = Assert.Throws<TensorFileException>(() => Load("gptq", folder.Path));
                Assert.Equal((folder.File(SingleName), $"{Prefix}.qzeros"), (refused.FileName, refused.TensorName));
                QuantizedWeightsTests.AssertSame(layer.Pack(), Load("gptq", folder.Path, new() { Format = stored == GptqVersion.V1 ? "gptq" : "gptq_v2" }));
            }
        }
    }

    [Fact]
    public void TheVersionIsTheFilesUnlessTheCallerAgrees()
    {
        using var folder = new TemporaryFolder();
        StoredLayer layer = MakeLayer(QuantizedType.U4ZeroPoint);
        Say(folder, "quantize_config.json", """{"checkpoint_format":"gptq_v2","bits":4,"group_size":32,"desc_act":false,"sym":false}""",
            layer.Gptq(GptqVersion.V2));
        QuantizedWeightsTests.AssertSame(layer.Pack(), Load("gptq", folder.Path));
        using GptqCheckpoint same = GptqCheckpoint.Open(folder.Path, GptqVersion.V2), other = GptqCheckpoint.Open(folder.Path, GptqVersion.V1);
        QuantizedWeightsTests.AssertSame(layer.Pack(), same.Load(Prefix));
        Assert.Equal($"{Prefix}.qweight", Assert.Throws<TensorFileException>(() => other.Load(Prefix)).TensorName);
    }

    [Fact]
    public void AFileWithoutWordsThatLooksLikeTheOtherVersionMustBeDeclared()
    {
        using var folder = new TemporaryFolder();
        StoredLayer layer = MakeLayer(QuantizedType.U4);
        StoredLayer.Write(folder.File(SingleName), layer.Gptq(GptqVersion.V2).Values);
        Assert.Equal($"{Prefix}.qzeros", Assert.Throws<TensorFileException>(() => Load("gptq", folder.File(SingleName))).TensorName);
        using GptqCheckpoint declared = GptqCheckpoint.Open(folder.File(SingleName), GptqVersion.V2);
        QuantizedWeightsTests.AssertSame(layer.Pack(), declared.Load(Prefix));
    }

    [Fact]
    public void FilesThatContradictEachOtherAreRefused()
    {
        using var folder = new TemporaryFolder();
        Say(folder, "config.json", """{"quant_method":"gptq","bits":4}""", MakeLayer(QuantizedType.U4).Gptq(GptqVersion.V1));
        File.WriteAllText(folder.File("quantize_config.json"), """{"bits":8}""");
        TensorFileException refused = Assert.Throws<TensorFileException>(() => CheckpointDeclaration.Read(folder.Path));
        Assert.Contains("config.json says 4", refused.Message, StringComparison.Ordinal);
        Assert.Throws<TensorFileException>(() => GptqCheckpoint.Open(folder.Path));
        File.WriteAllText(folder.File("quantize_config.json"), "{");
        Assert.Equal(folder.File("quantize_config.json"), Assert.Throws<TensorFileException>(() => GptqCheckpoint.Open(folder.Path)).FileName);
    }

    [Fact]
    public void DeclarationsAreReadByAllTheirNames()
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, (TensorInfo Info, Array Elements)> tensors = MakeLayer(QuantizedType.U4).Gptq(GptqVersion.V1);
        Say(folder, "__metadata__", """{"desc_act":"False"}""", tensors);
        Assert.Null(CheckpointDeclaration.Read(folder.Path).Method);
        Assert.False(CheckpointDeclaration.Read(folder.Path).HasActOrder);
        File.WriteAllText(folder.File("quant_config.json"), """{"w_bit":4,"q_group_size":128,"zero_point":true,"version":"GEMM"}""");
        CheckpointDeclaration awq = CheckpointDeclaration.Read(folder.File(SingleName));
        Assert.Equal(("awq", 4, 128, false), (awq.Method, awq.Bits, awq.GroupSize, awq.IsSymmetric));
        File.Delete(folder.File("quant_config.json"));
        File.WriteAllText(folder.File("config.json"), """{"quantization_config":{"quant_method":"auto-round","packing_format":"auto_round:gptqmodel","bits":4,"group_size":-1,"sym":true,"extra_config":{"lm_head":{"bits":16}}}}""");
        CheckpointDeclaration round = CheckpointDeclaration.Read(folder.Path);
        Assert.Equal(("gptq", "gptq_v2"), (round.Method, round.Format));
        // Layers with settings of their own: nothing holds for all.
        Assert.Null(round.Bits ?? round.GroupSize);
        Assert.Null(round.IsSymmetric);
    }

    [Theory]
    [InlineData("""{"quant_method":"gptq"}""", "qweight")]
    [InlineData("""{"quant_method":"awq","version":"gemv"}""", "qweight")]
    [InlineData("""{"quant_method":"awq","zero_point":false}""", "qzeros")]
    [InlineData("""{"quant_method":"awq","bits":8}""", "qweight")]
    [InlineData("""{"quant_method":"awq","desc_act":true}""", "qweight")]
    public void AwqIsHeldToItsWords(string json, string tensor)
    {
        using var folder = new TemporaryFolder();
        Say(folder, "config.json", json, MakeLayer(QuantizedType.U4ZeroPoint).Awq());
        Assert.Equal($"{Prefix}.{tensor}", Assert.Throws<TensorFileException>(() => Load("awq", folder.Path)).TensorName);
    }
}
