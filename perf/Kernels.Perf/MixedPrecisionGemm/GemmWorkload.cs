namespace Kernels.Perf;

/// <summary>A case in memory, with its oracle and its contenders.</summary>
internal sealed class GemmWorkload : IWorkload
{
    private readonly GemmBuffers _buffers;

    public GemmWorkload(GemmCase gemmCase, GemmWeights weights, Func<GemmBuffers, ProductOracle, IEnumerable<IContender>> contenders)
    {
        _buffers = new GemmBuffers(gemmCase, weights);
        Contenders = [.. contenders(_buffers, new ProductOracle(_buffers.Activations, _buffers.Weights.Dequantized[0], _buffers.Output,
            _buffers.Case.InputCount, _buffers.Case.OutputCount))];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => _buffers.Case.Operations;

    public string Unit => _buffers.Case.Arithmetic == GemmArithmetic.Exact ? "GFLOP/s" : "GOP/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Read, .. Ceilings];

    public RecordedComparison? Recorded => null;

    /// <summary>
    /// The longer of: reading the packed weights once; the products at the ceiling of registers, with eight-bit activations the higher one of the two ways to
    /// multiply them.
    /// </summary>
    public double RoofSeconds(RoofSamples roofs, int threads) => Math.Max(
        _buffers.Weights.Packed[0].ByteCount / roofs.PerSecond(RoofKind.Read, threads), _buffers.Case.Operations
        / Ceilings.Max(kind => roofs.PerSecond(kind, threads)));

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
        _buffers.Dispose();
    }

    private RoofKind[] Ceilings => _buffers.Case.Arithmetic == GemmArithmetic.Exact ? [RoofKind.MultiplyAdd] : [RoofKind.NibbleDot, RoofKind.ByteDot];
}
