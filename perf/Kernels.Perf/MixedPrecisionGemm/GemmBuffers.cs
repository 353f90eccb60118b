namespace Kernels.Perf;

/// <summary>
/// The operands of a case: activations, an output, the float weights that rivals multiply with, and packed copies of them. There are as many copies of the
/// weights as it takes to exceed the last-level cache four times, for at small batch a model's weights come from memory.
/// </summary>
internal sealed class GemmBuffers : IDisposable
{
    private const int CacheMultiple = 4;
    private const ulong ActivationSeed = 1, WeightSeed = 2;

    public GemmBuffers(GemmCase gemmCase)
    {
        Case = gemmCase;
        Activations = new NativeBuffer<float>(gemmCase.RowCount * gemmCase.InputCount);
        Output = new NativeBuffer<float>(gemmCase.RowCount * gemmCase.OutputCount);
        using var weights = new NativeBuffer<float>(checked((int)gemmCase.WeightCount));
        LogitGenerator.Fill(Activations.Span, ActivationSeed);
        LogitGenerator.Fill(weights.Span, WeightSeed);
        QuantizedWeights Pack() => QuantizedWeights.Pack(weights.Span, gemmCase.OutputCount, gemmCase.InputCount, new());
        QuantizedWeights first = Pack();
        Packed = new QuantizedWeights[Copies(first.ByteCount)];
        Packed[0] = first;
        Parallel.For(1, Packed.Length, i => Packed[i] = Pack());
        Dequantized = [.. Enumerable.Range(0, Copies(gemmCase.WeightCount * sizeof(float))).Select(_ => new NativeBuffer<float>((int)gemmCase.WeightCount))];
        foreach (NativeBuffer<float> copy in Dequantized)
            first.Dequantize(copy.Span);
    }

    public GemmCase Case { get; }

    public NativeBuffer<float> Activations { get; }

    public NativeBuffer<float> Output { get; }

    public QuantizedWeights[] Packed { get; }

    /// <summary>[n, k]: rivals multiply with the very weights that ours stand for.</summary>
    public NativeBuffer<float>[] Dequantized { get; }

    public void Dispose()
    {
        Activations.Dispose();
        Output.Dispose();
        foreach (NativeBuffer<float> copy in Dequantized)
            copy.Dispose();
    }

    private static int Copies(long bytes) => (int)Math.Max(1, (CacheMultiple * MachineInfo.Current.Level3Bytes + bytes - 1) / bytes);
}
