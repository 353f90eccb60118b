namespace Kernels.Tests;

/// <summary>Layers in the state-dict layout of bitsandbytes: there and back, and what is refused.</summary>
public sealed class Int8LinearFileTests
{
    private const int Outputs = 96, Inputs = 32;

    [Fact]
    public void LayersComeBackAsTheyWere()
    {
        using var folder = new TemporaryFolder();
        Int8Weights weights = Int8DecompositionCases.Weights(Outputs, Inputs);
        float[] bias = Int8DecompositionCases.Normal(Outputs, 3), x = Int8DecompositionCases.Activations<float>(4, Inputs, 1),
            expected = new float[4 * Outputs], actual = new float[4 * Outputs];
        var layers = new Dictionary<string, Int8Linear>
        {
            ["model.up"] = new(weights, bias),
            ["model.down"] = new(Int8DecompositionCases.Weights(5, 7, seed: 9))
        };
        string path = folder.File("layers.safetensors");
        Int8Linear.Save(path, layers);
        // bitsandbytes' own limit for its file beside the float one.
        Assert.InRange(new FileInfo(path).Length, 1, (Outputs * Inputs + 35) * sizeof(float) / 2 + 1024);
        using SafetensorsReader file = SafetensorsReader.Open(path);
        Assert.Equal(["model.down.SCB", "model.down.weight", "model.down.weight_format", "model.up.SCB", "model.up.bias", "model.up.weight",
            "model.up.weight_format"],
            file.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.Equal([Outputs, Inputs], file.Find("model.up.weight").Shape);
        Int8Linear loaded = Int8Linear.Load(file, "model.up");
        layers["model.up"].Forward<float>(x, expected);
        loaded.Forward<float>(x, actual);
        Int8DecompositionCases.AssertSameBits<float>(expected, actual);
        Assert.True(Int8Linear.Load(file, "model.down", threshold: 0).Bias.IsEmpty);
    }

    [Fact]
    public void AFileOfBitsandbytesIsRead()
    {
        // As its state_dict has it: f16 bias, a scalar format, no name before the parts.
        using var folder = new TemporaryFolder();
        string path = folder.File("linear8bitlt.safetensors");
        Write(path, [("weight", TensorType.Int8, [2, 3], new sbyte[] { 127, -64, 0, 1, -127, 5 }), ("SCB", TensorType.Float32, [2], new float[] { 2, 0.5f }),
            ("weight_format", TensorType.UInt8, [], new byte[] { 0 }), ("bias", TensorType.Float16, [2], new Half[] { (Half)1, (Half)(-2) })]);
        using SafetensorsReader file = SafetensorsReader.Open(path);
        Int8Linear layer = Int8Linear.Load(file);
        float[] y = new float[2];
        layer.Forward<float>([1, 1, 1], y);
        Assert.Equal(1 + 2 * 63 / 127f, y[0], 1e-6f);
        Assert.Equal(-2 - 0.5f * 121 / 127f, y[1], 1e-6f);
    }

    [Fact]
    public void LayersAcrossShardsAreRead()
    {
        using var folder = new TemporaryFolder();
        Write(folder.File("one.safetensors"), [("l.weight", TensorType.Int8, [4, 8], Enumerable.Range(0, 32).Select(i => (sbyte)(i - 16)).ToArray())]);
        Write(folder.File("two.safetensors"),
            [("l.SCB", TensorType.Float32, [4], new float[] { 1, 2, 3, 4 }), ("l.weight_format", TensorType.UInt8, [], new byte[1])]);
        string index = folder.File("model.safetensors.index.json");
        File.WriteAllText(index, """{"weight_map":{"l.weight":"one.safetensors","l.SCB":"two.safetensors","l.weight_format":"two.safetensors","m.weight":"one.safetensors"}}""");
        using SafetensorsCheckpoint files = SafetensorsCheckpoint.Open(folder.Path);
        Int8Linear layer = Int8Linear.Load(files, "l", threshold: 0);
        Assert.Equal([1f, 2, 3, 4], Int8DecompositionCases.AbsMaxOf(layer.Weights));
        var values = new sbyte[32];
        layer.Weights.CopyValuesTo(values);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (sbyte)(i - 16)), values);
        TensorFileException absent = Assert.Throws<TensorFileException>(() => Int8Linear.Load(files, "n"));
        Assert.Equal((index, "n.weight"), (absent.FileName, absent.TensorName));
        Assert.Equal("m.weight", Assert.Throws<TensorFileException>(() => Int8Linear.Load(files, "m")).TensorName);
        // A single file is a checkpoint, too.
        Int8Linear.Save(folder.File("whole.safetensors"), new Dictionary<string, Int8Linear> { [""] = layer });
        using SafetensorsCheckpoint whole = SafetensorsCheckpoint.Open(folder.File("whole.safetensors"));
        Assert.Equal([1f, 2, 3, 4], Int8DecompositionCases.AbsMaxOf(Int8Linear.Load(whole).Weights));
    }

    public static TheoryData<string, string> Corrupt => new()
    {
        { "float weights", "weight" }, { "no scales", "SCB" }, { "scales of other length", "SCB" }, { "scales of other type", "SCB" }, { "a NaN scale", "SCB" },
            { "a negative scale", "SCB" },
        { "a tiled format", "weight_format" }, { "a wide format", "weight_format" }, { "weights of one dimension", "weight" },
            { "bias of other length", "bias" }, { "no weights", "weight" },
    };

    [Theory]
    [MemberData(nameof(Corrupt))]
    public void CorruptFilesAreRefusedByTensor(string fault, string tensor)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("corrupt.safetensors");
        var tensors = new List<(string, TensorType, long[], Array)>
        {
            ("weight", TensorType.Int8, [2, 3], new sbyte[6]), ("SCB", TensorType.Float32, [2], new float[] { 1, 1 }),
                ("weight_format", TensorType.UInt8, [], new byte[1]), ("bias", TensorType.Float32, [2], new float[2]),
        };
        (int at, (string, TensorType, long[], Array)? replacement) = fault switch
        {
            "float weights" => (0, ("weight", TensorType.Float32, new long[] { 2, 3 }, (Array)new float[6])),
            "weights of one dimension" => (0, ("weight", TensorType.Int8, [6], new sbyte[6])),
            "no weights" => (0, null),
            "no scales" => (1, null),
            "scales of other length" => (1, ("SCB", TensorType.Float32, [3], new float[3])),
            "scales of other type" => (1, ("SCB", TensorType.Float16, [2], new Half[2])),
            "a NaN scale" => (1, ("SCB", TensorType.Float32, [2], new[] { 1, float.NaN })),
            "a negative scale" => (1, ("SCB", TensorType.Float32, [2], new float[] { 1, -1 })),
            "a tiled format" => (2, ("weight_format", TensorType.UInt8, [], new byte[] { 3 })),
            "a wide format" => (2, ("weight_format", TensorType.UInt8, [2], new byte[2])),
            _ => (3, ((string, TensorType, long[], Array)?)("bias", TensorType.Float32, [3], new float[3])),
        };
        tensors.RemoveAt(at);
        if (replacement is { } other)
            tensors.Add(other);
        Write(path, tensors);
        using SafetensorsReader file = SafetensorsReader.Open(path);
        Assert.Equal(tensor, Assert.Throws<TensorFileException>(() => Int8Linear.Load(file)).TensorName);
    }

    private static void Write(string path, IReadOnlyList<(string Name, TensorType Type, long[] Shape, Array Elements)> tensors)
    {
        using var writer = SafetensorsWriter.Create(path, tensors.Select(tensor => new TensorInfo(tensor.Name, tensor.Type, tensor.Shape)));
        foreach ((string name, TensorType type, _, Array elements) in tensors)
        {
            switch (type)
            {
                case TensorType.Int8: writer.Write<sbyte>(name, (sbyte[])elements); break;
                case TensorType.UInt8: writer.Write<byte>(name, (byte[])elements); break;
                case TensorType.Float16: writer.Write<Half>(name, (Half[])elements); break;
                case TensorType.Float32: writer.Write<float>(name, (float[])elements); break;
                default: throw new InvalidOperationException(name);
            }
        }
        writer.Commit();
    }
}
