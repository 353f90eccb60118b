using TinyLlama;

namespace Kernels.Tests;

/// <summary>llama2.c's versions 1 and 2, of which the second stores matrices in eight bits.</summary>
public sealed class Llama2VersionTests
{
    private const int HeaderBytes = 256, GroupSize = 16;

    // "ak42", version, seven sizes, whether the classifier is shared, the group size; norms, then matrices in the order of the layers' matrices.
    private static string Write(string path, int version, int groupSize = GroupSize)
    {
        LlamaShape shape = LlamaFolder.SmallShape;
        using var writer = new BinaryWriter(File.Create(path));
        foreach (int number in (int[])[0x616b3432, version, shape.Dimension, shape.HiddenDimension, shape.LayerCount, shape.HeadCount, shape.KvHeadCount,
            shape.VocabularySize, shape.ContextLength])
            writer.Write(number);
        writer.Write(false);
        writer.Write(groupSize);
        writer.Write(new byte[HeaderBytes - writer.BaseStream.Position]);
        string[] layers = [TensorNames.AttentionNorm, TensorNames.FeedForwardNorm];
        foreach (string name in layers.SelectMany(Layers).Append(TensorNames.FinalNorm))
            WriteFloats(writer, LlamaFolder.RandomWeights(name, shape));
        foreach (string name in shape.LayerMatrices.SelectMany(matrix => Layers(matrix.Name)).Prepend(TensorNames.Embedding).Append(TensorNames.Classifier))
        {
            float[] weights = LlamaFolder.RandomWeights(name, shape);
            if (version == 1)
                WriteFloats(writer, weights);
            else
                WriteGroups(writer, weights, groupSize);
        }
        return path;

        IEnumerable<string> Layers(string part) => Enumerable.Range(0, shape.LayerCount).Select(layer => TensorNames.Layer(layer, part));
    }

    private static void WriteFloats(BinaryWriter writer, float[] values)
    {
        foreach (float value in values)
            writer.Write(value);
    }

    private static void WriteGroups(BinaryWriter writer, float[] values, int groupSize)
    {
        float[] scales = [.. values.Chunk(groupSize).Select(group => group.Max(Math.Abs) / sbyte.MaxValue)];
        foreach ((int i, float value) in values.Index())
            writer.Write((sbyte)MathF.Round(value / scales[i / groupSize]));
        WriteFloats(writer, scales);
    }

    private static float[] Logits(ICheckpoint checkpoint, WeightKind weights)
    {
        using var model = new LlamaModel(checkpoint, new(weights, AttentionKind.Dense, KeyValueType.Float32, Keep: 1));
        int[] tokens = [1, 5, 3, 8, 2];
        var logits = new float[tokens.Length * checkpoint.Shape.VocabularySize];
        model.Forward(tokens, logits);
        return logits;
    }

    [Fact]
    public void MatricesOfEightBitsAreUsedAsTheyAreStored()
    {
        using var folder = new TemporaryFolder();
        using var floats = new Llama2CheckpointFile(Write(folder.File("1.bin"), version: 1));
        using var bytes = new Llama2CheckpointFile(Write(folder.File("2.bin"), version: 2));
        foreach ((string name, long[] dimensions) in bytes.Shape.Tensors)
        {
            Assert.Equal(LlamaFolder.RandomWeights(name, bytes.Shape), floats.Read(name).ToArray());
            Assert.Null(floats.ReadQuantized(name));
            QuantizedWeights? packed = bytes.ReadQuantized(name);
            Assert.Equal(dimensions.Length == 2, packed is not null);
            if (packed is null)
                continue;
            var weights = new float[packed.OutputCount * packed.InputCount];
            packed.Dequantize(weights);
            Assert.Equal(bytes.Read(name).ToArray(), weights);
            Assert.Same(packed, bytes.ReadQuantized(name));
        }
        float[] exact = Logits(floats, WeightKind.F32), rounded = Logits(bytes, WeightKind.F32), stored = Logits(bytes, WeightKind.Stored);
        float largest = exact.Max(Math.Abs);
        for (int i = 0; i < exact.Length; i++)
        {
            Assert.Equal(rounded[i], stored[i], 1e-4f * largest);
            // Eight bits of groups of 16: the weights are off by 1/254 of the largest at most.
            Assert.Equal(exact[i], stored[i], 0.05f * largest);
        }
    }

    // Rows of 32 and 48 values in groups of 64 and 128, which run over their ends.
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public void GroupsMayRunOverTheEndsOfRows(int groupSize)
    {
        using var folder = new TemporaryFolder();
        using var bytes = new Llama2CheckpointFile(Write(folder.File("2.bin"), version: 2, groupSize));
        foreach ((string name, long[] dimensions) in bytes.Shape.Tensors.Where(tensor => tensor.Dimensions.Length == 2))
        {
            float[] weights = LlamaFolder.RandomWeights(name, bytes.Shape);
            float[] expected = [.. weights.Chunk(groupSize)
                .SelectMany(group => group.Select(weight =>
                (group.Max(Math.Abs) / sbyte.MaxValue) * MathF.Round(weight / (group.Max(Math.Abs) / sbyte.MaxValue))))];
            Assert.Equal(expected, bytes.Read(name).ToArray());
            Assert.Null(bytes.ReadQuantized(name));
        }
        Assert.Equal(Logits(bytes, WeightKind.F32), Logits(bytes, WeightKind.Stored));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-16)]
    [InlineData(7)]
    [InlineData(1 << 20)]
    public void GroupsThatDoNotDivideAMatrixAreRefused(int groupSize)
    {
        using var folder = new TemporaryFolder();
        byte[] file = File.ReadAllBytes(Write(folder.File("2.bin"), version: 2));
        BitConverter.GetBytes(groupSize).CopyTo(file, 9 * sizeof(int) + 1);
        File.WriteAllBytes(folder.File("2.bin"), file);
        Assert.Contains($"groups of {groupSize}", Assert.Throws<InvalidDataException>(() => new Llama2CheckpointFile(folder.File("2.bin"))).Message,
            StringComparison.Ordinal);
    }
}
