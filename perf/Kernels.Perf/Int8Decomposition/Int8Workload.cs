namespace Kernels.Perf;

/// <summary>A case in memory, with its oracle and its contenders.</summary>
internal sealed class Int8Workload : IWorkload
{
    private readonly Int8Buffers _buffers;

    public Int8Workload(Int8Case int8Case, Int8LayerWeights weights, Func<Int8Buffers, ProductOracle, IEnumerable<IContender>> contenders)
    {
        _buffers = new Int8Buffers(int8Case, weights);
        Contenders = [.. contenders(_buffers, new ProductOracle(_buffers.Activations, _buffers.Weights.Dequantized[0], _buffers.Output,
            _buffers.Case.InputCount, _buffers.Case.OutputCount))];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => _buffers.Case.Operations;

    public string Unit => "GOP/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Read, RoofKind.ByteDot];

    public RecordedComparison? Recorded => null;

    /// <summary>The longer of: reading the packed weights once; the products at the ceiling of registers.</summary>
    public double RoofSeconds(RoofSamples roofs, int threads) => Math.Max(
        _buffers.Weights.Packed[0].ByteCount / roofs.PerSecond(RoofKind.Read, threads), _buffers.Case.Operations / roofs.PerSecond(RoofKind.ByteDot, threads));

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
        _buffers.Dispose();
    }
}
