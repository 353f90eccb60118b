namespace Kernels.Perf;

/// <summary>A softmax case in memory, with its oracle and its contenders.</summary>
internal sealed class SoftmaxWorkload<T> : IWorkload where T : unmanaged
{
    // Results printed in a file were computed in float and rounded to some digits.
    private const double RecordedTolerance = 1e-6;

    private readonly SoftmaxBuffers<T> _buffers;
    private readonly SoftmaxOracle<T> _oracle;

    /// <param name="softmaxCase">The shape.</param>
    /// <param name="logits">The logits; empty for generated ones.</param>
    /// <param name="recorded">Probabilities that came with the logits, or null.</param>
    /// <param name="contenders">Makes the contenders for these buffers and this oracle.</param>
    public SoftmaxWorkload(SoftmaxCase softmaxCase, ReadOnlySpan<T> logits, double[]? recorded,
        Func<SoftmaxBuffers<T>, SoftmaxOracle<T>, IEnumerable<IContender>> contenders)
    {
        _buffers = new SoftmaxBuffers<T>(softmaxCase, logits);
        _oracle = new SoftmaxOracle<T>(softmaxCase, _buffers.Input(0));
        Contenders = [.. contenders(_buffers, _oracle)];
        Recorded = recorded is null ? null : new RecordedComparison(LargestDifference(recorded), RecordedTolerance);
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => SoftmaxCost<T>.Bytes(_buffers);

    public string Unit => "GB/s";

    public RecordedComparison? Recorded { get; }

    public IReadOnlyList<RoofKind> Roofs => SoftmaxCost<T>.Roofs(_buffers);

    public double RoofSeconds(RoofSamples roofs, int threads) => SoftmaxCost<T>.RoofSeconds(_buffers, roofs, threads);

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
        _oracle.Dispose();
        _buffers.Dispose();
    }

    private double LargestDifference(double[] recorded)
    {
        SoftmaxContenders.Call(_buffers, 0, variant: null, threads: 0);
        Span<T> results = _buffers.Output(0).Span;
        double largest = 0;
        for (int i = 0; i < recorded.Length; i++)
            largest = Math.Max(largest, Math.Abs(Element<T>.ToDouble(results[i]) - recorded[i]));
        return largest;
    }
}
