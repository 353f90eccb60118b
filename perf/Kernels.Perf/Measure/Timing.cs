namespace Kernels.Perf;

/// <summary>The samples of one contender, in seconds for one call, in the order of the rounds.</summary>
internal sealed class Timing(double[] samples)
{
    public IReadOnlyList<double> Samples => samples;

    public double Median { get; } = Statistics.Median(samples);

    public double Minimum { get; } = samples.Min();
}

/// <summary>How long to measure.</summary>
/// <param name="MinRounds">The number of samples that every contender gets, however long they take; at least <see cref="PairedRatio.LeastPairs"/>, or no ratio
/// can be told.</param>
/// <param name="MaxRounds">The number of samples after which a median hardly moves.</param>
/// <param name="SecondsPerWorkload">The time to spend on one workload between these bounds.</param>
/// <param name="WarmUpSeconds">The time to run all contenders of a workload in turn before timing.</param>
internal sealed record Effort(int MinRounds, int MaxRounds, double SecondsPerWorkload, double WarmUpSeconds)
{
    public static Effort Quick { get; } = new(9, 31, 2, 1.2);

    public static Effort Showcase { get; } = new(PairedRatio.LeastPairs, 31, 1.5, 1);

    public static Effort Full { get; } = new(15, 101, 20, 3);
}
