namespace Kernels.Tests;

/// <summary>
/// The definition in double, by loops: logits as sums of exact products, log-sum-exp relative to the largest. Its own error, 2^-53 for each
/// operation, is 2^-29 of the bounds it is used with.
/// </summary>
internal sealed class LinearCrossEntropyOracle
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    // Roundings of a sum of exponentials, in its logarithm: 1.25 u for a term's significand and 1 u where two of them are added, 1.25 u for the
    // largest one's, by which the sum is divided.
    private const double ExponentialRoundings = 3.5;

    // Terms in u^2, and the oracle's own roundings.
    private const double SecondOrder = 1.001;

    public LinearCrossEntropyOracle(ClassifierData data)
    {
        LinearClassifierShape shape = data.Shape;
        LogSumExp = new double[shape.TokenCount];
        Loss = new double[shape.TokenCount];
        SumBound = new double[shape.TokenCount];
        LossBound = new double[shape.TokenCount];
        for (int token = 0; token < shape.TokenCount; token++)
            Compute(data, token);
    }

    public double[] LogSumExp { get; }

    public double[] Loss { get; }

    /// <summary>What a log-sum-exp may be off by: E + 3.5 u + u |s|, E the largest error of a logit.</summary>
    public double[] SumBound { get; }

    /// <summary>What a loss may be off by: 2 E + 3.5 u + u |loss|.</summary>
    public double[] LossBound { get; }

    private void Compute(ClassifierData data, int token)
    {
        LinearClassifierShape shape = data.Shape;
        var logits = new double[shape.VocabularySize];
        double largest = double.NegativeInfinity, logitBound = 0;
        for (int word = 0; word < shape.VocabularySize; word++)
        {
            double logit = data.Bias.Length == 0 ? 0 : data.Bias[word], magnitude = Math.Abs(logit);
            for (int k = 0; k < shape.Width; k++)
            {
                double product = (double)data.Hidden[token * shape.Width + k] * data.Weights[word * shape.Width + k];
                logit += product;
                magnitude += Math.Abs(product);
            }
            logits[word] = logit;
            largest = Math.Max(largest, logit);
            // A chain of as many multiply-adds, one rounding each; an excluded word has no error.
            if (!double.IsInfinity(magnitude))
                logitBound = Math.Max(logitBound, shape.Width * UnitRoundoff * magnitude);
        }
        double sum = 0;
        foreach (double logit in logits)
            sum += double.IsInfinity(logit) && logit == largest ? 1 : Math.Exp(logit - largest);
        LogSumExp[token] = largest + Math.Log(sum);
        int target = data.Targets[token];
        Loss[token] = target == data.IgnoredTarget ? 0 : LogSumExp[token] - logits[target];
        double exponentials = ExponentialRoundings * UnitRoundoff;
        SumBound[token] = SecondOrder * (logitBound + exponentials + UnitRoundoff * Math.Abs(LogSumExp[token]));
        LossBound[token] = SecondOrder * (2 * logitBound + exponentials + UnitRoundoff * Math.Abs(Loss[token]));
    }
}
