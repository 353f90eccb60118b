namespace Kernels.Perf;

/// <summary>
/// The weights of a layer, packed and dequantised. There are as many copies of each as it takes to exceed the last-level cache four times, for at small batch
/// a model's weights come from memory. Made when first asked for: the cases of a layer share them.
/// </summary>
internal sealed class GemmWeights(int inputCount, int outputCount) : IDisposable
{
    private const int CacheMultiple = 4;
    private const ulong Seed = 2;

    private QuantizedWeights[]? _packed;
    private NativeBuffer<float>[]? _dequantized;

    public int InputCount => inputCount;

    public int OutputCount => outputCount;

    public QuantizedWeights[] Packed => _packed ??= Pack();

    /// <summary>[n, k]: rivals multiply with the very weights that ours stand for.</summary>
    public NativeBuffer<float>[] Dequantized => _dequantized ??= Dequantize();

    public void Dispose()
    {
        foreach (NativeBuffer<float> copy in _dequantized ?? [])
            copy.Dispose();
    }

    private QuantizedWeights[] Pack()
    {
        using var weights = new NativeBuffer<float>(checked(inputCount * outputCount));
        LogitGenerator.Fill(weights.Span, Seed);
        QuantizedWeights first = QuantizedWeights.Pack(weights.Span, outputCount, inputCount, new(QuantizedType.U4));
        var packed = new QuantizedWeights[Copies(first.ByteCount)];
        packed[0] = first;
        Parallel.For(1, packed.Length, i => packed[i] = QuantizedWeights.Pack(weights.Span, outputCount, inputCount, first.Format));
        return packed;
    }

    private NativeBuffer<float>[] Dequantize()
    {
        long bytes = (long)inputCount * outputCount * sizeof(float);
        NativeBuffer<float>[] copies = [.. Enumerable.Range(0, Copies(bytes)).Select(_ => new NativeBuffer<float>(inputCount * outputCount))];
        Packed[0].Dequantize(copies[0].Span);
        foreach (NativeBuffer<float> copy in copies.AsSpan(1))
            copies[0].Span.CopyTo(copy.Span);
        return copies;
    }

    private static int Copies(long bytes) => (int)Math.Max(1, (CacheMultiple * MachineInfo.Current.Level3Bytes + bytes - 1) / bytes);
}
