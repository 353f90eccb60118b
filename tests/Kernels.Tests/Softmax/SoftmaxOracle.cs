namespace Kernels.Tests;

/// <summary>
/// Softmax straight from its definition, in wider precision than the kernels: double for results in float, pairs of doubles for results in double.
/// </summary>
internal static class SoftmaxOracle
{
    /// <summary>The results of one row of logits as exponentiated (options applied).</summary>
    internal readonly record struct Row(double[] Probabilities, double[] LogProbabilities, double LogSumExp);

    /// <summary>What the behaviour table says of rows with special values; otherwise the definition.</summary>
    public static Row Of(double[] z, bool safe, bool wide)
    {
        bool hasNaN = z.Any(double.IsNaN), hasInfinity = z.Any(double.IsPositiveInfinity);
        if (hasNaN || hasInfinity)
            return new(Filled(z.Length, double.NaN), Filled(z.Length, double.NaN), hasNaN ? double.NaN : double.PositiveInfinity);
        if (z.All(double.IsNegativeInfinity))
            return new(Filled(z.Length, safe ? 0 : double.NaN), Filled(z.Length, safe ? double.NegativeInfinity : double.NaN), double.NegativeInfinity);
        return wide ? Wide(z) : Plain(z);
    }

    private static Row Plain(double[] z)
    {
        double max = z.Max(), sum = z.Sum(x => Math.Exp(x - max)), logarithm = Math.Log(sum);
        return new([.. z.Select(x => Math.Exp(x - max) / sum)], [.. z.Select(x => x - max - logarithm)], max + logarithm);
    }

    private static Row Wide(double[] z)
    {
        double max = z.Max();
        (DoubleDouble Fraction, int Exponent)[] terms = [.. z.Select(x => double.IsNegativeInfinity(x) ? (0, 0) : DoubleDouble.Exp((DoubleDouble)x - max))];
        DoubleDouble sum = 0;
        foreach ((DoubleDouble fraction, int exponent) in terms)
            sum += Scaled(fraction, exponent);
        double[] probabilities = [.. terms.Select(t => Math.ScaleB((t.Fraction / sum).ToDouble(), t.Exponent))];
        // log(sum) refined by one Newton step: s (1 + d) = sum, log = log s + d.
        double estimate = Math.Log(sum.ToDouble());
        (DoubleDouble fractionOfEstimate, int exponentOfEstimate) = DoubleDouble.Exp(estimate);
        DoubleDouble logarithm = (DoubleDouble)estimate + (sum / Scaled(fractionOfEstimate, exponentOfEstimate) - 1);
        return new(probabilities, [.. z.Select(x => double.IsNegativeInfinity(x) ? x : ((DoubleDouble)x - max - logarithm).ToDouble())],
            ((DoubleDouble)max + logarithm).ToDouble());
    }

    private static DoubleDouble Scaled(DoubleDouble fraction, int exponent) => new(Math.ScaleB(fraction.High, exponent), Math.ScaleB(fraction.Low, exponent));

    private static double[] Filled(int length, double value)
    {
        var row = new double[length];
        Array.Fill(row, value);
        return row;
    }
}
