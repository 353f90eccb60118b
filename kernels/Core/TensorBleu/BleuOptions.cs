using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>How BLEU is to be computed. The default value is sacreBLEU's default: orders 1 to 4 with equal weights, exponential smoothing.</summary>
public readonly ref struct BleuOptions
{
    /// <summary>The largest n-gram order that is supported.</summary>
    public const int LargestOrder = 8;

    private const int DefaultMaxOrder = 4;

    private readonly int? _maxOrder;

    /// <summary>The largest n-gram order that counts: 1 to <see cref="LargestOrder"/>; 4 by default.</summary>
    public int MaxOrder
    {
        get => _maxOrder ?? DefaultMaxOrder;
        init => _maxOrder = value;
    }

    /// <summary>
    /// Weights of the logarithms of the precisions, order 1 first: [sets, <see cref="MaxOrder"/>] row-major. Each set gives one score, from the same counts.
    /// Finite, not negative, not all 0 in a set; they need not sum to 1. Empty (the default): one set of equal weights 1 / MaxOrder.
    /// </summary>
    public ReadOnlySpan<double> Weights { get; init; }

    /// <summary>What happens to orders without a match. See <see cref="BleuSmoothing"/>.</summary>
    public BleuSmoothing Smoothing { get; init; }

    /// <summary>
    /// The smoothing's parameter, finite and not negative; <see langword="null"/> (the default) for its usual value. Only for smoothings that have one.
    /// </summary>
    public double? SmoothingValue { get; init; }

    /// <summary>
    /// Leaves out the orders of which a short candidate has no n-gram, so that it is not scored 0 for being short. With sacreBLEU's smoothings as its
    /// <c>effective_order</c>: the mean stops at the last such order with matches or a smoothed precision. With NLTK's as its <c>auto_reweigh</c>: a candidate
    /// shorter than <see cref="MaxOrder"/> is scored with equal weights up to its length. Weights given explicitly are then rescaled to keep their sum
    /// (sacreBLEU's) or left as they are (NLTK's).
    /// </summary>
    public bool EffectiveOrder { get; init; }

    /// <summary>
    /// Scores sentences and, by <c>TensorBleu.CorpusScore</c>, a corpus as the published TensorBLEU implementation does (RxAI, <c>tensor_sentence_bleu</c> and
    /// <c>tensor_corpus_bleu</c>, arXiv 2510.05485), but in double, for results comparable with those obtained there. Departs from BLEU as published: 1e-12 is
    /// added to every precision and takes the place of exponential smoothing, add-k includes unigrams, of two reference lengths equally close the first counts,
    /// rows of padding count as references of length 0, and a pad token inside a row takes the n-grams that touch it out. A corpus in addition leaves out an
    /// order of which any candidate is too short, and every column of references of which any is. Only with the first four smoothings and without effective
    /// order.
    /// </summary>
    public bool TensorBleuCompatible { get; init; }

    /// <summary>Whether scores run from 0 to 100, as sacreBLEU's do, rather than from 0 to 1.</summary>
    public bool Percent { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }

    /// <summary>The number of scores that each candidate gets: the number of weight sets.</summary>
    public int WeightSetCount => Weights.IsEmpty ? 1 : Weights.Length / Math.Max(1, MaxOrder);

    internal bool IsNltk => Smoothing >= BleuSmoothing.NltkMethod0;

    /// <summary>The orders that must be counted: methods 5 and 7 look at order 5, however few orders are scored.</summary>
    internal int CountedOrder =>
        Smoothing is BleuSmoothing.NltkMethod5 or BleuSmoothing.NltkMethod7 ? Math.Max(MaxOrder, BleuNltkFormula.NeighbourOrder) : MaxOrder;
}
