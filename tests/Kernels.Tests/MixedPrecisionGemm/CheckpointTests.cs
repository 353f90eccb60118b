namespace Kernels.Tests;

/// <summary>Layers of GPTQ, AWQ and MARLIN checkpoints: packed here by the definition of each format, read back as the values they were made of.</summary>
public sealed class CheckpointTests
{
    private const string Prefix = "model.layers.0.self_attn.q_proj";
    private const int Outputs = 64, Inputs = 96, Groups = 3;

    private static StoredLayer MakeLayer(QuantizedType type, bool isScattered = false) =>
        StoredLayer.Random(Prefix, Outputs, Inputs, new(type, Inputs / Groups), isScattered, seed: 11);

    private static Dictionary<string, (TensorInfo Info, Array Elements)> Marlin(StoredLayer layer)
    {
        var weights = new int[Inputs * Outputs * layer.Bits / 32];
        MarlinLayout.Pack(layer.Values, Outputs, Inputs, layer.Bits, weights);
        Dictionary<string, (TensorInfo Info, Array Elements)> tensors = layer.Tensors(weights, [Inputs / 16, Outputs * layer.Bits / 2], null, "B", "s");
        var scales = (Half[])tensors["s"].Elements;
        var permuted = new Half[scales.Length];
        MarlinLayout.PermuteScales<Half>(scales, Outputs, Groups, permuted);
        tensors["s"] = (tensors["s"].Info, permuted);
        return tensors;
    }

    [Theory]
    [InlineData(QuantizedType.U4)]
    [InlineData(QuantizedType.U4ZeroPoint)]
    [InlineData(QuantizedType.U8)]
    [InlineData(QuantizedType.U8ZeroPoint)]
    public void GptqLayersAreRead(QuantizedType type)
    {
        using var folder = new TemporaryFolder();
        foreach (GptqVersion version in Enum.GetValues<GptqVersion>())
        {
            foreach (bool isScattered in new[] { false, true })
            {
                StoredLayer layer = MakeLayer(type, isScattered);
                string path = folder.File($"{version}{isScattered}.safetensors");
                Dictionary<string, (TensorInfo Info, Array Elements)> tensors = layer.Gptq(version);
                StoredLayer.Write(path, tensors.Values);
                using GptqCheckpoint checkpoint = GptqCheckpoint.Open(path, version);
                QuantizedWeights weights = checkpoint.Load(Prefix);
                Assert.Equal(isScattered, weights.HasInputOrder);
                QuantizedWeightsTests.AssertSame(layer.Pack(), weights);
                Assert.Equal(tensors["bias"].Elements, checkpoint.LoadBias(Prefix));
                Assert.Empty(checkpoint.LoadBias("model"));
            }
        }
    }

    [Fact]
    public void AwqAndMarlinLayersAreRead()
    {
        using var folder = new TemporaryFolder();
        StoredLayer awq = MakeLayer(QuantizedType.U4ZeroPoint);
        StoredLayer.Write(folder.File("awq.safetensors"), awq.Awq().Values);
        using (AwqCheckpoint checkpoint = AwqCheckpoint.Open(folder.File("awq.safetensors")))
            QuantizedWeightsTests.AssertSame(awq.Pack(), checkpoint.Load(Prefix));
        foreach (QuantizedType type in new[] { QuantizedType.U4, QuantizedType.U8 })
        {
            StoredLayer marlin = MakeLayer(type);
            StoredLayer.Write(folder.File($"{type}.safetensors"), Marlin(marlin).Values);
            using MarlinCheckpoint checkpoint = MarlinCheckpoint.Open(folder.File($"{type}.safetensors"));
            QuantizedWeightsTests.AssertSame(marlin.Pack(), checkpoint.Load(Prefix));
        }
    }

    [Fact]
    public void ShardsAreFoundThroughTheIndex()
    {
        using var folder = new TemporaryFolder();
        StoredLayer layer = MakeLayer(QuantizedType.U4);
        (TensorInfo Info, Array Elements)[] tensors = [.. layer.Gptq(GptqVersion.V1).Values];
        StoredLayer.Write(folder.File("a.safetensors"), tensors[..2]);
        StoredLayer.Write(folder.File("b.safetensors"), tensors[2..]);
        IEnumerable<string> map = tensors.Select((tensor, i) => $"\"{tensor.Info.Name}\":\"{(i < 2 ? 'a' : 'b')}.safetensors\"");
        File.WriteAllText(folder.File("model.safetensors.index.json"), $"{{\"metadata\":{{}},\"weight_map\":{{{string.Join(',', map)}}}}}");
        foreach (string path in new[] { folder.Path, folder.File("model.safetensors.index.json") })
        {
            using GptqCheckpoint checkpoint = GptqCheckpoint.Open(path);
            QuantizedWeightsTests.AssertSame(layer.Pack(), checkpoint.Load(Prefix));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"weight_map\":[]}")]
    [InlineData("{\"weight_map\":{\"a\":1}}")]
    [InlineData("{\"weight_map\":{\"a\":\"../secret.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"/etc/passwd\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"..\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"x\\u0000\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"..\\\\secret.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}")]
    [InlineData("{\"weight_map\":")]
    public void BadIndexesAreRefused(string json) =>
        Assert.Throws<TensorFileException>(() => SafetensorsCheckpoint.ReadIndex("model.safetensors.index.json", System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void WhatDoesNotFitIsRefusedByTensor()
    {
        Refused("qweight", tensors => tensors.Remove("qweight"));
        Refused("scales", tensors => tensors.Remove("scales"));
        Refused("qweight", tensors => tensors["qweight"] = (new($"{Prefix}.qweight", TensorType.Float32, Inputs / 8, Outputs),
            new float[Inputs / 8 * Outputs]));
        Refused("qweight", tensors => Reshape(tensors, "qweight", Inputs / 8 * 2, Outputs / 2));
        Refused("qweight", tensors => Reshape(tensors, "qweight", Inputs / 8 * Outputs));
        Refused("qzeros", tensors => Reshape(tensors, "qzeros", Groups * 2, Outputs / 16));
        Refused("qzeros", tensors => Reshape(tensors, "qzeros", 1, Groups * Outputs / 8));
        Refused("g_idx", tensors => Reshape(tensors, "g_idx", Inputs / 2, 2));
        Refused("g_idx", tensors => ((int[])tensors["g_idx"].Elements)[5] = Groups);
        Refused("g_idx", tensors => ((int[])tensors["g_idx"].Elements)[5] = -1);
        Refused("scales", tensors => ((Half[])tensors["scales"].Elements)[5] = Half.NaN);
        Refused("scales", tensors => tensors["scales"] = (new($"{Prefix}.scales", TensorType.Int32, Groups, Outputs), new int[Groups * Outputs]));

        static void Reshape(Dictionary<string, (TensorInfo Info, Array Elements)> tensors, string name, params long[] shape) =>
            tensors[name] = (new TensorInfo($"{Prefix}.{name}", tensors[name].Info.Type, shape), tensors[name].Elements);

        static void Refused(string name, Action<Dictionary<string, (TensorInfo Info, Array Elements)>> damage)
        {
            using var folder = new TemporaryFolder();
            Dictionary<string, (TensorInfo Info, Array Elements)> tensors = MakeLayer(QuantizedType.U4).Gptq(GptqVersion.V1);
            damage(tensors);
            StoredLayer.Write(folder.File("a.safetensors"), tensors.Values);
            using GptqCheckpoint checkpoint = GptqCheckpoint.Open(folder.File("a.safetensors"));
            Assert.Equal($"{Prefix}.{name}", Assert.Throws<TensorFileException>(() => checkpoint.Load(Prefix)).TensorName);
        }
    }

    [Fact]
    public void PackedWeightsGoBackToEveryFormat()
    {
        // From GPTQ to MARLIN: values out of the packed weights, then MARLIN's own packing.
        StoredLayer layer = MakeLayer(QuantizedType.U4ZeroPoint, isScattered: true);
        var values = new byte[Outputs * Inputs];
        var scales = new float[Outputs * Groups];
        var zeros = new byte[scales.Length];
        var groups = new int[Inputs];
        layer.Pack().Unpack(values, scales, zeros, groups);
        Assert.Equal(layer.Values, values);
        Assert.Equal(layer.Scales, scales);
        Assert.Equal(layer.ZeroPoints, zeros);
        Assert.Equal(layer.GroupIndices, groups);
    }
}
