namespace Kernels.Perf;

/// <summary>
/// The weights of a layer, packed and dequantised. There are <see cref="ColdCopies"/> of each, for at small batch a model's weights
/// come from memory. Made when first asked for: the cases of a layer share them.
/// </summary>
internal sealed class Int8LayerWeights(int inputCount, int outputCount) : IDisposable
{
    private const ulong Seed = 2;

    private Int8Weights[]? _packed;
    private NativeBuffer<float>[]? _dequantized;
    private sbyte[]? _values;

    public Int8Weights[] Packed => _packed ??= Pack();

    /// <summary>[n, k]: float rivals multiply with the very weights that ours stand for.</summary>
    public NativeBuffer<float>[] Dequantized => _dequantized ??= Dequantize();

    /// <summary>[n, k]: the integers.</summary>
    public sbyte[] Values => _values ??= Unpack();

    public void Dispose()
    {
        foreach (NativeBuffer<float> copy in _dequantized ?? [])
            copy.Dispose();
    }

    private Int8Weights[] Pack()
    {
        using var weights = new NativeBuffer<float>(checked(inputCount * outputCount));
        LogitGenerator.Fill(weights.Span, Seed);
        var first = Int8Weights.Pack(weights.Span, outputCount, inputCount);
        var packed = new Int8Weights[ColdCopies.Of(first.ByteCount)];
        packed[0] = first;
        _packed = packed;
        var absMax = new float[outputCount];
        first.CopyAbsMaxTo(absMax);
        Parallel.For(1, packed.Length, i => packed[i] = Int8Weights.FromQuantized(Values, absMax, outputCount, inputCount));
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

    private sbyte[] Unpack()
    {
        var values = new sbyte[inputCount * outputCount];
        _packed![0].CopyValuesTo(values);
        return values;
    }
}
