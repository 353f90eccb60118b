namespace Kernels.Tests;

/// <summary>Layers of GPTQ, AWQ and MARLIN checkpoints: packed here by the definition of each format, read back as the values they were made of.</summary>
public sealed class CheckpointTests
{
    private const string Prefix = "model.layers.0.self_attn.q_proj";
    private const int Outputs = 64, Inputs = 96, Groups = 3;

    private readonly record struct Layer(QuantizationFormat Format, byte[] Values, float[] Scales, byte[] ZeroPoints, int[] GroupIndices)
    {
        public int Bits => Format.IsEightBit ? 8 : 4;

        public QuantizedWeights Pack() => QuantizedWeights.FromQuantized(Values, Scales, ZeroPoints, Outputs, Inputs, Format, GroupIndices);

        public int Zero(int output, int group) => Format.HasZeroPoints ? ZeroPoints[output * Groups + group] : Format.SymmetricZero;
    }

    private static Layer MakeLayer(QuantizedType type, bool isScattered = false, ScaleType scaleType = ScaleType.Float16)
    {
        QuantizationFormat format = new(type, Inputs / Groups, scaleType);
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(Outputs, Inputs, format, seed: 11);
        int[] groups = [.. Enumerable.Range(0, Inputs).Select(input => isScattered ? input * 7 % Inputs / (Inputs / Groups) : input / (Inputs / Groups))];
        return new Layer(format, values, scales, zeros, groups);
    }

    // Little by little: the fields of a row, lowest bits first.
    private static int[] PackRow(IEnumerable<int> fields, int bits)
    {
        int[] all = [.. fields];
        var words = new int[all.Length * bits / 32];
        for (int i = 0; i < all.Length; i++)
            words[i * bits / 32] |= (all[i] & ((1 << bits) - 1)) << (i * bits % 32);
        return words;
    }

    private static Dictionary<string, (TensorInfo Info, Array Elements)> Tensors(Layer layer, int[] weights, long[] weightShape, int[]? zeroPoints, string weightName, string scaleName)
    {
        Half[] scales = [.. Enumerable.Range(0, Groups * Outputs).Select(i => (Half)layer.Scales[i % Outputs * Groups + i / Outputs])];
        var tensors = new Dictionary<string, (TensorInfo, Array)>
        {
            [weightName] = (new($"{Prefix}.{weightName}", TensorType.Int32, weightShape), weights),
            [scaleName] = (new($"{Prefix}.{scaleName}", TensorType.Float16, Groups, Outputs), scales),
            ["bias"] = (new($"{Prefix}.bias", TensorType.Float32, Outputs), MixedPrecisionGemmCases.Normal(Outputs, 2)),
        };
        if (zeroPoints is not null)
            tensors["qzeros"] = (new($"{Prefix}.qzeros", TensorType.Int32, Groups, zeroPoints.Length / Groups), zeroPoints);
        return tensors;
    }

    private static Dictionary<string, (TensorInfo Info, Array Elements)> Gptq(Layer layer, GptqVersion version)
    {
        int perWord = 32 / layer.Bits;
        var weights = new int[Inputs / perWord * Outputs];
        for (int i = 0; i < Inputs * Outputs; i++)
            weights[i / Outputs / perWord * Outputs + i % Outputs] |= layer.Values[i % Outputs * Inputs + i / Outputs] << (i / Outputs % perWord * layer.Bits);
        int[] zeros = [.. Enumerable.Range(0, Groups).SelectMany(group => PackRow(
            Enumerable.Range(0, Outputs).Select(output => layer.Zero(output, group) - (version == GptqVersion.V1 ? 1 : 0)), layer.Bits))];
        Dictionary<string, (TensorInfo, Array)> tensors = Tensors(layer, weights, [Inputs / perWord, Outputs], zeros, "qweight", "scales");
        tensors["g_idx"] = (new($"{Prefix}.g_idx", TensorType.Int32, Inputs), layer.GroupIndices);
        return tensors;
    }

    private static Dictionary<string, (TensorInfo Info, Array Elements)> Awq(Layer layer)
    {
        int[] order = [0, 2, 4, 6, 1, 3, 5, 7];
        int[] weights = [.. Enumerable.Range(0, Inputs).SelectMany(input => PackRow(
            Enumerable.Range(0, Outputs).Select(i => (int)layer.Values[(i / 8 * 8 + order[i % 8]) * Inputs + input]), 4))];
        int[] zeros = [.. Enumerable.Range(0, Groups).SelectMany(group => PackRow(Enumerable.Range(0, Outputs).Select(i => layer.Zero(i / 8 * 8 + order[i % 8], group)), 4))];
        return Tensors(layer, weights, [Inputs, Outputs / 8], zeros, "qweight", "scales");
    }

    private static Dictionary<string, (TensorInfo Info, Array Elements)> Marlin(Layer layer)
    {
        var weights = new int[Inputs * Outputs * layer.Bits / 32];
        MarlinLayout.Pack(layer.Values, Outputs, Inputs, layer.Bits, weights);
        Dictionary<string, (TensorInfo Info, Array Elements)> tensors = Tensors(layer, weights, [Inputs / 16, Outputs * layer.Bits / 2], null, "B", "s");
        var scales = (Half[])tensors["s"].Elements;
        var permuted = new Half[scales.Length];
        MarlinLayout.PermuteScales<Half>(scales, Outputs, Groups, permuted);
        tensors["s"] = (tensors["s"].Info, permuted);
        return tensors;
    }

    private static void Write(string path, IEnumerable<(TensorInfo Info, Array Elements)> tensors)
    {
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors.Select(tensor => tensor.Info));
        foreach ((TensorInfo info, Array elements) in tensors)
        {
            switch (elements)
            {
                case int[] integers: writer.Write<int>(info.Name, integers); break;
                case Half[] halves: writer.Write<Half>(info.Name, halves); break;
                case float[] floats: writer.Write<float>(info.Name, floats); break;
            }
        }
        writer.Commit();
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
                Layer layer = MakeLayer(type, isScattered);
                string path = folder.File($"{version}{isScattered}.safetensors");
                Dictionary<string, (TensorInfo Info, Array Elements)> tensors = Gptq(layer, version);
                Write(path, tensors.Values);
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
        Layer awq = MakeLayer(QuantizedType.U4ZeroPoint);
        Write(folder.File("awq.safetensors"), Awq(awq).Values);
        using (AwqCheckpoint checkpoint = AwqCheckpoint.Open(folder.File("awq.safetensors")))
            QuantizedWeightsTests.AssertSame(awq.Pack(), checkpoint.Load(Prefix));
        foreach (QuantizedType type in new[] { QuantizedType.U4, QuantizedType.U8 })
        {
            Layer marlin = MakeLayer(type);
            Write(folder.File($"{type}.safetensors"), Marlin(marlin).Values);
            using MarlinCheckpoint checkpoint = MarlinCheckpoint.Open(folder.File($"{type}.safetensors"));
            QuantizedWeightsTests.AssertSame(marlin.Pack(), checkpoint.Load(Prefix));
        }
    }

    [Fact]
    public void ShardsAreFoundThroughTheIndex()
    {
        using var folder = new TemporaryFolder();
        Layer layer = MakeLayer(QuantizedType.U4);
        (TensorInfo Info, Array Elements)[] tensors = [.. Gptq(layer, GptqVersion.V1).Values];
        Write(folder.File("a.safetensors"), tensors[..2]);
        Write(folder.File("b.safetensors"), tensors[2..]);
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
        Assert.Throws<KernelFormatException>(() => SafetensorsCheckpoint.ReadIndex("model.safetensors.index.json", System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void WhatDoesNotFitIsRefusedByTensor()
    {
        Refused("qweight", tensors => tensors.Remove("qweight"));
        Refused("scales", tensors => tensors.Remove("scales"));
        Refused("qweight", tensors => tensors["qweight"] = (new($"{Prefix}.qweight", TensorType.Float32, Inputs / 8, Outputs), new float[Inputs / 8 * Outputs]));
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
            Dictionary<string, (TensorInfo Info, Array Elements)> tensors = Gptq(MakeLayer(QuantizedType.U4), GptqVersion.V1);
            damage(tensors);
            Write(folder.File("a.safetensors"), tensors.Values);
            using GptqCheckpoint checkpoint = GptqCheckpoint.Open(folder.File("a.safetensors"));
            Assert.Equal($"{Prefix}.{name}", Assert.Throws<KernelFormatException>(() => checkpoint.Load(Prefix)).TensorName);
        }
    }

    [Fact]
    public void PackedWeightsGoBackToEveryFormat()
    {
        // From GPTQ to MARLIN: values out of the packed weights, then MARLIN's own packing.
        Layer layer = MakeLayer(QuantizedType.U4ZeroPoint, isScattered: true);
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
