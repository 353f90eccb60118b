namespace Kernels.Perf;

/// <summary>A batch in memory, with the scores by the book and everything that can score it.</summary>
internal sealed class BleuWorkload : IWorkload
{
    // One batch's result in double: fifteen digits, less what the logarithms' sum loses.
    private const double OwnTolerance = 1e-13;

    private readonly BleuScorer _scorer = new();
    private readonly int[] _tokens;
    private readonly double[] _expected, _scores;

    public BleuWorkload(BleuCase bleuCase, IReadOnlyList<int> threadCounts, IReadOnlyList<PythonBleu> rivals)
    {
        Case = bleuCase;
        _tokens = bleuCase.Tokens();
        _scores = new double[bleuCase.Batch];
        _expected = BleuByTheBook.Scores(bleuCase, _tokens);
        Contenders = [.. Ours(threadCounts), .. rivals.SelectMany(rival => rival.Open(this, threadCounts))];
    }

    public BleuCase Case { get; }

    public ReadOnlySpan<int> Tokens => _tokens;

    public IReadOnlyList<IContender> Contenders { get; }

    // In millions, so that the rate comes out for each millisecond.
    public double WorkPerCall => Case.Batch * 1e6;

    public string Unit => "sentences/ms";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Read];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => sizeof(int) * Case.TokenCount / roofs.PerSecond(RoofKind.Read, threads);

    /// <summary>Of the scores of the first sentences.</summary>
    public double LargestError(ReadOnlySpan<double> scores)
    {
        double largest = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            double error = Math.Abs(scores[i] - _expected[i]);
            largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
        }
        return largest;
    }

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
        _scorer.Dispose();
    }

    private IEnumerable<IContender> Ours(IReadOnlyList<int> threadCounts)
    {
        KernelDispatch dispatch = KernelInfo.Catalogue.First(d => d.Chosen.Family == TensorBleuFamily.Word && d.Chosen.Types == "i32");
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 ? dispatch.Variants : [dispatch.Chosen])
                yield return new CallContender(variant.Identity, threads, 1, OwnTolerance, _ => Score(variant.Identity, threads), () => LargestError(_scores));
        }
    }

    private void Score(string variant, int threads)
    {
        int split = Case.Batch * Case.Length;
        TokenBatch<int> candidates = TokenBatch.Padded<int>(_tokens.AsSpan(0, split), Case.Length, padToken: 0);
        TokenBatch<int> references = TokenBatch.Padded<int>(_tokens.AsSpan(split), Case.Length, padToken: 0);
        _scorer.Score(candidates, BleuReferences.Uniform(references, Case.ReferenceCount), _scores,
            new() { Smoothing = BleuSmoothing.NltkMethod1, Kernel = new() { Variant = variant, MaxDegreeOfParallelism = threads } });
    }
}
