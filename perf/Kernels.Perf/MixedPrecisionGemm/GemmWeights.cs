using System.Numerics.Tensors;

namespace Kernels.Perf;

/// <summary>
/// The weights of a layer, packed and dequantised. There are <see cref="ColdCopies"/> of each, for at small batch a model's weights
/// come from memory. Made when first asked for: the cases of a layer share them.
/// </summary>
internal sealed class GemmWeights(int inputCount, int outputCount) : IDisposable
{
    private const ulong Seed = 2;

    private QuantizedWeights[]? _packed;
    private NativeBuffer<float>[]? _dequantized;
    private (NativeBuffer<sbyte> Values, float[] Scales)? _eightBit;

    public int InputCount => inputCount;

    public int OutputCount => outputCount;

    public QuantizedWeights[] Packed => _packed ??= Pack();

    /// <summary>[n, k]: rivals multiply with the very weights that ours stand for.</summary>
    public NativeBuffer<float>[] Dequantized => _dequantized ??= Dequantize();

    /// <summary>[n, k] in -127 to 127 with a scale for each output: for rivals that know eight bits alone.</summary>
    public (NativeBuffer<sbyte> Values, float[] Scales) EightBit => _eightBit ??= RoundToEightBits();

    public void Dispose()
    {
        _eightBit?.Values.Dispose();
        foreach (NativeBuffer<float> copy in _dequantized ?? [])
            copy.Dispose();
    }

    private QuantizedWeights[] Pack()
    {
        using var weights = new NativeBuffer<float>(checked(inputCount * outputCount));
        LogitGenerator.Fill(weights.Span, Seed);
        QuantizedWeights first = QuantizedWeights.Pack(weights.Span, outputCount, inputCount, new(QuantizedType.U4));
        var packed = new QuantizedWeights[ColdCopies.Of(first.ByteCount)];
        packed[0] = first;
        Parallel.For(1, packed.Length, i => packed[i] = QuantizedWeights.Pack(weights.Span, outputCount, inputCount, first.Format));
        return packed;
    }

    private NativeBuffer<float>[] Dequantize()
    {
        long bytes = (long)inputCount * outputCount * sizeof(float);
        NativeBuffer<float>[] copies = [.. Enumerable.Range(0, ColdCopies.Of(bytes)).Select(_ => new NativeBuffer<float>(inputCount * outputCount))];
        Packed[0].Dequantize(copies[0].Span);
        foreach (NativeBuffer<float> copy in copies.AsSpan(1))
            copies[0].Span.CopyTo(copy.Span);
        return copies;
    }

    private (NativeBuffer<sbyte> Values, float[] Scales) RoundToEightBits()
    {
        var values = new NativeBuffer<sbyte>(inputCount * outputCount);
        var scales = new float[outputCount];
        NativeBuffer<float> weights = Dequantized[0];
        Parallel.For(0, outputCount, output =>
        {
            ReadOnlySpan<float> row = weights.Span.Slice(output * inputCount, inputCount);
            float scale = scales[output] = TensorPrimitives.MaxMagnitude(row) is var largest && largest != 0 ? MathF.Abs(largest) / sbyte.MaxValue : 1;
            for (int input = 0; input < row.Length; input++)
                values.Span[output * inputCount + input] = (sbyte)MathF.Round(row[input] / scale);
        });
        return (values, scales);
    }
}
