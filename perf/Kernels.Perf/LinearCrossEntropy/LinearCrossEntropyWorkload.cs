namespace Kernels.Perf;

/// <summary>
/// Losses of all tokens: ours, and in two steps, of which the first, OpenBLAS's product, writes all logits to memory and the second, our
/// log-sum-exp, reads them again. The error is the largest of the losses
/// of some tokens, against double.
/// </summary>
internal sealed unsafe class LinearCrossEntropyWorkload : IWorkload
{
    // Logits are sums of n products whose roundings are off by some root of n of one each: 1e-4 is beyond any of these, and far below a wrong word's weight.
    private const double OwnTolerance = 1e-4;

    // A language model's logits have a spread of some 3; hidden states have one of 1.
    private const double LogitSpread = 3;

    private const int CheckedTokens = 4;

    private readonly LinearClassifierShape _shape;
    private readonly NativeBuffer<float> _hidden, _weights, _losses, _logits, _sums;
    private readonly int[] _targets, _checked;
    private readonly double[] _expected;

    public LinearCrossEntropyWorkload(LinearClassifierShape shape, IReadOnlyList<int> threadCounts, bool withRivals)
    {
        _shape = shape;
        _hidden = new NativeBuffer<float>(shape.TokenCount * shape.Width);
        _weights = new NativeBuffer<float>(shape.VocabularySize * shape.Width);
        _losses = new NativeBuffer<float>(shape.TokenCount);
        _sums = new NativeBuffer<float>(shape.TokenCount);
        bool hasRival = withRivals && OpenBlas.Status.AbsentReason is null;
        _logits = new NativeBuffer<float>(hasRival ? shape.TokenCount * shape.VocabularySize : 0);
        Fill(_hidden.Span, 1, 1);
        Fill(_weights.Span, LogitSpread / Math.Sqrt(shape.Width), 2);
        var random = new Random(3);
        _targets = [.. Enumerable.Range(0, shape.TokenCount).Select(_ => random.Next(shape.VocabularySize))];
        _checked = [.. Enumerable.Range(0, CheckedTokens).Select(i => i * (shape.TokenCount - 1) / (CheckedTokens - 1)).Distinct()];
        _expected = [.. _checked.Select(LossByTheBook)];
        KernelDispatch dispatch = KernelInfo.Catalogue.Single(known => known.Chosen.Family == LinearCrossEntropyFamily.Word);
        IEnumerable<KernelVariant> variants = withRivals
            ? [dispatch.Chosen]
            : dispatch.Variants.Where(variant => variant.Availability == VariantAvailability.Available);
        Contenders =
        [
            .. from variant in variants from threads in threadCounts
                select new CallContender(variant.Identity, threads, 1, OwnTolerance, _ => RunOwn(variant, threads), LargestError),
            .. from threads in threadCounts where hasRival
                select new CallContender($"{OpenBlas.Identity} + LogSumExp", threads, 1, OpenBlas.Tolerance, _ => RunInTwoSteps(threads), LargestError),
        ];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    /// <summary>The product's; exponentials are no part of it.</summary>
    public double WorkPerCall => 2.0 * _shape.TokenCount * _shape.Width * _shape.VocabularySize;

    public string Unit => "GFLOP/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Read, RoofKind.MultiplyAdd];

    public RecordedComparison? Recorded => null;

    /// <summary>The longer of: reading the weights once; the product at the ceiling of registers.</summary>
    public double RoofSeconds(RoofSamples roofs, int threads) =>
        Math.Max((double)sizeof(float) * _weights.Length / roofs.PerSecond(RoofKind.Read, threads),
            WorkPerCall / roofs.PerSecond(RoofKind.MultiplyAdd, threads));

    public void Dispose()
    {
        foreach (NativeBuffer<float> buffer in new[] { _hidden, _weights, _losses, _logits, _sums })
            buffer.Dispose();
    }

    private void RunOwn(KernelVariant variant, int threads) => LinearCrossEntropy.TokenLosses(
        _hidden.Span, _weights.Span, _targets, _losses.Span, _shape, new() { Kernel = new() { Variant = variant.Identity, MaxDegreeOfParallelism = threads } });

    private void RunInTwoSteps(int threads)
    {
        OpenBlas.Multiply(_hidden.Pointer, _weights.Pointer, _logits.Pointer, _shape.TokenCount, _shape.VocabularySize, _shape.Width, threads);
        Softmax.LogSumExp<float>(_logits.Span, _sums.Span, _shape.VocabularySize, new() { Kernel = new() { MaxDegreeOfParallelism = threads } });
        for (int token = 0; token < _shape.TokenCount; token++)
            _losses.Pointer[token] = _sums.Pointer[token] - _logits.Pointer[(long)token * _shape.VocabularySize + _targets[token]];
    }

    private static void Fill(Span<float> numbers, double spread, int seed)
    {
        // Uniform numbers of variance 1.
        double scale = spread * Math.Sqrt(12);
        var random = new Random(seed);
        foreach (ref float number in numbers)
            number = (float)(scale * (random.NextDouble() - 0.5));
    }

    private double LossByTheBook(int token)
    {
        var logits = new double[_shape.VocabularySize];
        Parallel.For(0, logits.Length, word =>
        {
            float* hidden = _hidden.Pointer + (long)token * _shape.Width, weights = _weights.Pointer + (long)word * _shape.Width;
            for (int k = 0; k < _shape.Width; k++)
                logits[word] += (double)hidden[k] * weights[k];
        });
        double largest = logits.Max();
        return largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest))) - logits[_targets[token]];
    }

    private double LargestError()
    {
        double largest = 0;
        for (int i = 0; i < _checked.Length; i++)
        {
            double error = Math.Abs(_losses.Pointer[_checked[i]] - _expected[i]);
            largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
        }
        return largest;
    }
}
