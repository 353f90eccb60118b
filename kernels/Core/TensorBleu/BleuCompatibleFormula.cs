namespace Kernels.Core.TensorBleu;

/// <summary>
/// Precisions and their mean as the published TensorBLEU implementation computes them for sentences: see <see cref="BleuOptions.TensorBleuCompatible"/>.
/// </summary>
internal static class BleuCompatibleFormula
{
    /// <summary>Added to every precision before the logarithm, and in place of a precision of 0 under <see cref="BleuSmoothing.Exponential"/>.</summary>
    public const double Tiny = 1e-12;

    public static void Precisions(in BleuStatistics statistics, in BleuFormula formula, Span<double> precisions)
    {
        for (int n = 1; n <= formula.MaxOrder; n++)
        {
            double matches = statistics.Matches(n), total = statistics.Totals(n);
            double plain = total == 0 ? 0 : matches / total;
            precisions[n - 1] = formula.Smoothing switch
            {
                BleuSmoothing.Floor => (matches == 0 ? formula.Value : matches) / Math.Max(1, total),
                BleuSmoothing.AddK => (matches + formula.Value) / (total + formula.Value),
                BleuSmoothing.Exponential when plain == 0 => Tiny,
                _ => plain,
            };
        }
    }

    /// <param name="precisions">Of all orders.</param>
    /// <param name="weights">Of all orders, or empty for equal ones.</param>
    /// <param name="added">To each precision before its logarithm.</param>
    public static double Mean(ReadOnlySpan<double> precisions, ReadOnlySpan<double> weights, double added = Tiny)
    {
        double sum = 0;
        for (int i = 0; i < precisions.Length; i++)
            sum += (weights.IsEmpty ? 1.0 / precisions.Length : weights[i]) * Math.Log(precisions[i] + added);
        return Math.Exp(sum);
    }
}
