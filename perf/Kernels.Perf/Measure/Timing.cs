namespace Kernels.Perf;

/// <summary>The median and the minimum of several samples, in seconds for one call.</summary>
internal readonly record struct Timing(double Median, double Minimum)
{
    public static Timing Of(IEnumerable<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Timing(median, sorted[0]);
    }
}

/// <summary>How long to measure.</summary>
/// <param name="MinRounds">The number of samples that every contender gets, however long they take.</param>
/// <param name="MaxRounds">The number of samples after which a median no longer moves.</param>
/// <param name="SecondsPerWorkload">The time to spend on one workload between these bounds.</param>
/// <param name="WarmUpSeconds">The time to run all contenders of a workload in turn before timing.</param>
internal sealed record Effort(int MinRounds, int MaxRounds, double SecondsPerWorkload, double WarmUpSeconds)
{
    public static Effort Quick { get; } = new(5, 31, 1.5, 1.2);

    public static Effort Showcase { get; } = new(5, 31, 1.5, 1);

    public static Effort Full { get; } = new(11, 101, 20, 3);
}
