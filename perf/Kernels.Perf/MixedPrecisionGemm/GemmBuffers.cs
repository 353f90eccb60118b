namespace Kernels.Perf;

/// <summary>The operands of a case.</summary>
internal sealed class GemmBuffers : IDisposable
{
    private const ulong ActivationSeed = 1;

    public GemmBuffers(GemmCase gemmCase, GemmWeights weights)
    {
        Case = gemmCase;
        Weights = weights;
        Activations = new NativeBuffer<float>(gemmCase.RowCount * gemmCase.InputCount);
        Output = new NativeBuffer<float>(gemmCase.RowCount * gemmCase.OutputCount);
        LogitGenerator.Fill(Activations.Span, ActivationSeed);
    }

    public GemmCase Case { get; }

    public GemmWeights Weights { get; }

    public NativeBuffer<float> Activations { get; }

    public NativeBuffer<float> Output { get; }

    public void Dispose()
    {
        Activations.Dispose();
        Output.Dispose();
    }
}
