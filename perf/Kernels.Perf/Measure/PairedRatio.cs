namespace Kernels.Perf;

/// <summary>
/// How many times longer one contender takes than another: the median over the rounds of the ratio of the two samples of a round, which the machine's slower
/// and faster hours leave alone, with its 95 % interval.
/// </summary>
internal readonly record struct PairedRatio(double Median, double Low, double High)
{
    /// <summary>
    /// The median lies within the extremes of n pairs with probability 1 - 2^(1 - n); from six on that is 95 % and more. With fewer there is no such interval.
    /// </summary>
    public const int LeastPairs = 6;

    /// <summary>A wider interval tells neither how much nor, mostly, which of the two is faster.</summary>
    public const double WidestInterval = 1.5;

    private const double Confidence = 0.95;

    // The interval's ends then stand on the 250 outermost medians of either side, give or take 16: of so few samples medians come in steps, and the share of
    // one step is not far from 250.
    private const int Resamples = 10_000;

    private const int Seed = 20_261_130;

    /// <summary>Whether the interval is so narrow that the ratio says something.</summary>
    public bool IsMeasurable => High <= WidestInterval * Low;

    /// <summary>The ratio of <paramref name="other"/> to <paramref name="own"/>, samples of the same rounds in the same order; above 1 own is faster.</summary>
    /// <exception cref="ArgumentException">The numbers of samples differ, there are none, or one is not above zero.</exception>
    public static PairedRatio Of(IReadOnlyList<double> other, IReadOnlyList<double> own)
    {
        if (other.Count != own.Count || own.Count == 0)
            throw new ArgumentException($"{other.Count} and {own.Count} samples are no pairs", nameof(other));
        double[] logarithms = [.. other.Zip(own, LogarithmOfRatio)];
        double median = Math.Exp(Statistics.Median(logarithms));
        if (logarithms.Length < LeastPairs)
            return new PairedRatio(median, 0, double.PositiveInfinity);
        (double low, double high) = Statistics.BootstrapOfMedian(logarithms, Confidence, Resamples, Seed);
        return new PairedRatio(median, Math.Exp(low), Math.Exp(high));
    }

    /// <summary>
    /// The geometric mean, the ratios' errors being independent: the half widths of its interval, in logarithms, are the roots of the sums of squares of
    /// theirs, divided by their number. It says how well this mean over these ratios is known, not what another workload would give.
    /// </summary>
    public static PairedRatio GeometricMean(IReadOnlyList<PairedRatio> ratios)
    {
        double mean = Math.Exp(ratios.Average(ratio => Math.Log(ratio.Median)));
        return new PairedRatio(mean, mean / Spread(ratios, ratio => ratio.Median / ratio.Low), mean * Spread(ratios, ratio => ratio.High / ratio.Median));
    }

    private static double Spread(IReadOnlyList<PairedRatio> ratios, Func<PairedRatio, double> half) =>
        Math.Exp(Math.Sqrt(ratios.Sum(ratio => Math.Pow(Math.Log(half(ratio)), 2))) / ratios.Count);

    private static double LogarithmOfRatio(double other, double own) => other > 0 && own > 0
        ? Math.Log(other / own)
        : throw new ArgumentException($"a sample of {Math.Min(other, own)} seconds is no time", nameof(other));
}
