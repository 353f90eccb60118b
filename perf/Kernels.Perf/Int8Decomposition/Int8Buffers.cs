namespace Kernels.Perf;

/// <summary>The operands of a case.</summary>
internal sealed class Int8Buffers : IDisposable
{
    private const ulong ActivationSeed = 1;

    // Numbers of spread 1, none beyond 3.5 of it; outliers 20 times as large, as measured in models of 6.7 billion parameters (arXiv 2208.07339, section 4).
    private const float Spread = 1 / 3f, OutlierSpread = 20;

    public Int8Buffers(Int8Case int8Case, Int8LayerWeights weights)
    {
        Case = int8Case;
        Weights = weights;
        Activations = new NativeBuffer<float>(int8Case.RowCount * int8Case.InputCount);
        Output = new NativeBuffer<float>(int8Case.RowCount * int8Case.OutputCount);
        LogitGenerator.Fill(Activations.Span, ActivationSeed);
        Span<float> activations = Activations.Span;
        for (int i = 0; i < activations.Length; i++)
            activations[i] *= Spread;
        for (int outlier = 0; outlier < int8Case.OutlierCount; outlier++)
        {
            int column = (int)((long)outlier * int8Case.InputCount / int8Case.OutlierCount);
            for (int row = 0; row < int8Case.RowCount; row++)
            {
                ref float activation = ref activations[row * int8Case.InputCount + column];
                activation = MathF.CopySign(OutlierSpread, activation) + activation;
            }
        }
    }

    public Int8Case Case { get; }

    public Int8LayerWeights Weights { get; }

    public NativeBuffer<float> Activations { get; }

    public NativeBuffer<float> Output { get; }

    public void Dispose()
    {
        Activations.Dispose();
        Output.Dispose();
    }
}
