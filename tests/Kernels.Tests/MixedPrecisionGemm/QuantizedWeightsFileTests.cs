using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>Packed weights saved and mapped back: the same bytes, the same products, and files that were tampered with are refused.</summary>
public sealed class QuantizedWeightsFileTests
{
    private const int Outputs = 70, Inputs = 96;

    private static QuantizedWeights Make(QuantizationFormat format, bool isScattered)
    {
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(Outputs, Inputs, format, seed: 2);
        int[] groups = [.. Enumerable.Range(0, isScattered ? Inputs : 0).Select(input => input % (Inputs / format.GroupSizeOf(Inputs)))];
        return QuantizedWeights.FromQuantized(values, scales, zeros, Outputs, Inputs, format, groups);
    }

    [Fact]
    public void EveryFormatComesBackWithoutRepacking()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors");
        var weights = new Dictionary<string, QuantizedWeights>();
        foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
        {
            foreach (ScaleType scaleType in Enum.GetValues<ScaleType>())
            {
                foreach (bool isScattered in new[] { false, true })
                    weights.Add($"layers.{weights.Count}.{type}", Make(new(type, 24, scaleType), isScattered));
                if (MixedPrecisionGemmCases.Types.Contains(type))
                    weights.Add($"layers.{weights.Count}.{type}",
                        MixedPrecisionGemmCases.Weights(Outputs, Inputs, new(type, 24, scaleType, WeightSparsity.TwoOfFour)));
            }
        }
        QuantizedWeights.Save(path, weights);
        float[] activations = MixedPrecisionGemmCases.Normal(3 * Inputs, 1);
        foreach ((string name, QuantizedWeights expected) in weights)
        {
            using QuantizedWeights mapped = QuantizedWeights.Map(path, name);
            QuantizedWeightsTests.AssertSame(expected, mapped);
            Assert.Equal((expected.Format, expected.HasInputOrder, expected.ByteCount), (mapped.Format, mapped.HasInputOrder, mapped.ByteCount));
            Assert.Equal(
                MixedPrecisionGemmCases.Multiply<float>(activations, expected, GemmArithmetic.Exact, default),
                MixedPrecisionGemmCases.Multiply<float>(activations, mapped, GemmArithmetic.Exact, default));
        }
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        Assert.All(reader.Tensors, tensor => Assert.Equal(0, tensor.Offset % QuantizedWeightsLayout.Alignment));
        Assert.Equal(weights.Values.Sum(matrix => matrix.ByteCount), reader.Tensors.Sum(tensor => tensor.ByteCount));
    }

    [Fact]
    public void MappingAllocatesAlmostNothingAndEndsOnce()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors");
        MixedPrecisionGemmCases.Weights(1024, 1024, new()).Save(path, "w");
        QuantizedWeights.Map(path, "w").Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        QuantizedWeights mapped = QuantizedWeights.Map(path, "w");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 16);
        mapped.Dispose();
        mapped.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapped.Dequantize(new float[1 << 20]));
        Assert.Throws<ObjectDisposedException>(() => MixedPrecisionGemm.Multiply<float>(new float[1024], mapped, new float[1024]));
    }

    [Theory]
    [InlineData("kernels.quantized_weights 2 U4 Float16 70 96 24 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 70 96 25 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 70 96 0 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 -70 96 24 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 U99 Float16 70 96 24 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 77 Float16 70 96 24 Dense natural", "version")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 70 96 24", "version")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 70 96 24 Dense by_group", "takes")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 70 96 48 TwoOfFour natural", "takes")]
    [InlineData("kernels.quantized_weights 1 Nf4 Float16 70 96 24 TwoOfFour natural", "version")]
    [InlineData("kernels.quantized_weights 1 U8 Float16 70 96 24 Dense natural", "takes")]
    [InlineData("kernels.quantized_weights 1 U4 Float16 2147483647 2147483647 1 Dense natural", "version")]
    public void FalseDescriptionsAreRefused(string description, string reason)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors");
        using (QuantizedWeights weights = Make(new(QuantizedType.U4, 24), isScattered: false))
        using (SafetensorsWriter writer = SafetensorsWriter.Create(path, [new("w", TensorType.UInt8, weights.ByteCount)],
            new Dictionary<string, string> { ["w"] = description }))
        {
            writer.Write<byte>("w", new byte[weights.ByteCount]);
            writer.Commit();
        }
        TensorFileException refused = Assert.Throws<TensorFileException>(() => QuantizedWeights.Map(path, "w"));
        Assert.Equal("w", refused.TensorName);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Throws<TensorFileException>(() => QuantizedWeights.Map(path, "absent"));
    }

    [Fact]
    public void OrdersThatAreNoPermutationAreRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors");
        Make(new(QuantizedType.U4, 24), isScattered: true).Save(path, "w");
        byte[] file = File.ReadAllBytes(path);
        // The order stands at the end, its padding being none: 96 numbers of 4 bytes are whole cache lines.
        foreach (byte high in new byte[] { 0x7F, 0xFF, 0 })
        {
            file[^1] = high;
            (file[^2], file[^3], file[^4]) = (0, 0, 0);
            File.WriteAllBytes(path, file);
            Assert.Equal("w", Assert.Throws<TensorFileException>(() => QuantizedWeights.Map(path, "w")).TensorName);
        }
    }

    [Fact]
    public void BytesThatOtherProgramsLeftUnalignedAreLoadedAndNotMapped()
    {
        // Python's writer begins tensors at multiples of 8 bytes. Kernels load whole cache lines.
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors"), moved = folder.File("moved.safetensors");
        using QuantizedWeights weights = Make(new(QuantizedType.U4, 24), isScattered: false);
        weights.Save(path, "w");
        byte[] file = File.ReadAllBytes(path);
        int header = BitConverter.ToInt32(file, 0);
        File.WriteAllBytes(moved, [.. BitConverter.GetBytes((long)header + 8), .. file[8..(8 + header)], .. "        "u8, .. file[(8 + header)..]]);
        Assert.Contains("multiple of 64", Assert.Throws<TensorFileException>(() => QuantizedWeights.Map(moved, "w")).Message, StringComparison.Ordinal);
        using QuantizedWeights loaded = QuantizedWeights.Load(moved, "w");
        QuantizedWeightsTests.AssertSame(weights, loaded);
    }
}
