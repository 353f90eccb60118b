using System.Security.Cryptography;

namespace Kernels.Tests;

/// <summary>Packed weights are files that travel: their bytes are the format's, not those of the processor that packed them.</summary>
public sealed class PackedBytesTests
{
    // The first 32 digits of the whole file's SHA-256. Every run of the suite (with AVX-512, without it, without AVX2, without SIMD) and every machine is held
    // to them.
    [Theory]
    [InlineData(QuantizedType.U4, "a859211a2ba9ac809adea2b4f67b6451")]
    [InlineData(QuantizedType.U8ZeroPoint, "1788aa6f288b06634aa7997ec04615ff")]
    public void AreTheSameWhateverPacksThem(QuantizedType type, string digest)
    {
        const int outputs = 70, inputs = 96, group = 32;
        var format = new QuantizationFormat(type, group);
        var random = new Random(1);
        byte[] values = [.. Enumerable.Range(0, outputs * inputs).Select(_ => (byte)random.Next(format.LargestValue + 1))];
        float[] scales = [.. Enumerable.Range(0, outputs * inputs / group).Select(_ => random.Next(1, 9) / 8f)];
        byte[] zeroPoints = format.HasZeroPoints ? [.. scales.Select(_ => (byte)random.Next(format.LargestValue + 1))] : [];
        using QuantizedWeights weights = QuantizedWeights.FromQuantized(values, scales, zeroPoints, outputs, inputs, format);
        string path = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.safetensors");
        try
        {
            weights.Save(path, type == QuantizedType.U4 ? "4a" : "8z");
            Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))[..digest.Length]);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
