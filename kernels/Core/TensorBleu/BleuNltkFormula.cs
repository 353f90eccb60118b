namespace Kernels.Core.TensorBleu;

/// <summary>
/// Precisions and their mean as NLTK has them. NLTK keeps fractions exact and rounds late; here every step rounds, which moves a score by a few units in the
/// last place in methods 5 to 7 and by none in the others.
/// </summary>
internal static class BleuNltkFormula
{
    /// <summary>The order whose precision method 5 puts behind the last one.</summary>
    public const int NeighbourOrder = 5;

    /// <summary>The first order that method 6 interpolates.</summary>
    public const int FirstInterpolatedOrder = 3;

    /// <summary>Python's sys.float_info.min, the smallest normal double.</summary>
    private const double SmallestNormal = 2.2250738585072014e-308;

    /// <summary>The smoothed precisions; false if no unigram matched, which makes the score 0.</summary>
    public static bool Precisions(in BleuStatistics statistics, in BleuFormula formula, Span<double> precisions)
    {
        if (statistics.Matches(1) == 0)
            return false;
        for (int n = 1; n <= formula.MaxOrder; n++)
            precisions[n - 1] = statistics.Matches(n) / Total(statistics, n);
        precisions = precisions[..formula.MaxOrder];
        switch (formula.Smoothing)
        {
            case BleuSmoothing.NltkMethod0:
                precisions.Replace(0, SmallestNormal);
                break;
            case BleuSmoothing.NltkMethod1:
                AddToMisses(statistics, formula.Value, precisions);
                break;
            case BleuSmoothing.NltkMethod2:
                for (int n = 2; n <= precisions.Length; n++)
                    precisions[n - 1] = (statistics.Matches(n) + 1.0) / (Total(statistics, n) + 1);
                break;
            case BleuSmoothing.NltkMethod3:
                Halve(statistics, precisions);
                break;
            case BleuSmoothing.NltkMethod4:
                HalveByLength(statistics, formula.Value, precisions);
                break;
            case BleuSmoothing.NltkMethod5:
                Average(statistics, precisions);
                break;
            case BleuSmoothing.NltkMethod6:
                Interpolate(statistics, formula.Value, precisions);
                break;
            case BleuSmoothing.NltkMethod7:
                HalveByLength(statistics, formula.Value, precisions);
                Average(statistics, precisions);
                break;
        }
        return true;
    }

    /// <summary>exp(sum w log p) over the precisions above 0.</summary>
    /// <param name="precisions">Of all orders.</param>
    /// <param name="weights">Of all orders, or empty for equal ones.</param>
    /// <param name="longestOrder">With equal weights, only so many orders count, and share the weight.</param>
    public static double Mean(ReadOnlySpan<double> precisions, ReadOnlySpan<double> weights, long longestOrder)
    {
        Span<double> terms = stackalloc double[BleuOptions.LargestOrder];
        int orders = weights.IsEmpty ? (int)Math.Min(precisions.Length, longestOrder) : precisions.Length, count = 0;
        for (int i = 0; i < orders; i++)
        {
            if (double.IsNaN(precisions[i]))
                return double.NaN;
            if (precisions[i] > 0)
                terms[count++] = (weights.IsEmpty ? 1.0 / orders : weights[i]) * Math.Log(precisions[i]);
        }
        return Math.Exp(ExactSum.Of(terms[..count]));
    }

    // Every sentence has at least one n-gram in NLTK's denominators.
    private static double Total(in BleuStatistics statistics, int order) => (double)statistics.Totals(order) + statistics.SentencesWithout(order);

    private static void AddToMisses(in BleuStatistics statistics, double value, Span<double> precisions)
    {
        for (int i = 0; i < precisions.Length; i++)
        {
            if (precisions[i] == 0)
                precisions[i] = value / Total(statistics, i + 1);
        }
    }

    // 1 / (2^k total) for the k-th order without a match.
    private static void Halve(in BleuStatistics statistics, Span<double> precisions)
    {
        double halvings = 1;
        for (int i = 0; i < precisions.Length; i++)
        {
            if (precisions[i] == 0)
                precisions[i] = 1 / ((halvings *= 2) * Total(statistics, i + 1));
        }
    }

    private static void HalveByLength(in BleuStatistics statistics, double value, Span<double> precisions)
    {
        if (statistics.CandidateLength <= 1)
            return;
        double halvings = 1, logLength = Math.Log(statistics.CandidateLength);
        for (int i = 0; i < precisions.Length; i++)
        {
            if (precisions[i] == 0)
                precisions[i] = 1 / ((halvings *= 2) * value / logLength) / Total(statistics, i + 1);
        }
    }

    private static void Average(in BleuStatistics statistics, Span<double> precisions)
    {
        double before = precisions[0] + 1;
        for (int i = 0; i < precisions.Length; i++)
        {
            double after = i + 1 < precisions.Length ? precisions[i + 1] : statistics.Matches(NeighbourOrder) / Total(statistics, NeighbourOrder);
            before = precisions[i] = (before + precisions[i] + after) / 3;
        }
    }

    private static void Interpolate(in BleuStatistics statistics, double value, Span<double> precisions)
    {
        if (precisions[FirstInterpolatedOrder - 1] == 0)
        {
            precisions.Fill(double.NaN);
            return;
        }
        for (int i = FirstInterpolatedOrder - 1; i < precisions.Length; i++)
        {
            double prior = precisions[i - 2] == 0 ? 0 : precisions[i - 1] * precisions[i - 1] / precisions[i - 2];
            precisions[i] = (statistics.Matches(i + 1) + value * prior) / (statistics.Totals(i + 1) + value);
        }
    }
}
