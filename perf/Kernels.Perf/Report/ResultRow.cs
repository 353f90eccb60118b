namespace Kernels.Perf;

/// <summary>One measurement: what every report is made of.</summary>
/// <param name="Family">The family's word, or <c>roof</c>.</param>
/// <param name="Identity">Ours: the catalogue's identity. A rival's: <c>rival/...</c>. A roof's: <c>roof/...</c>.</param>
/// <param name="Workload">The shape.</param>
/// <param name="Threads">The number of threads allowed.</param>
/// <param name="Timing">Seconds for one call.</param>
/// <param name="Rate">Work per second in <paramref name="Unit"/>, at the median.</param>
/// <param name="Unit"><c>GB/s</c>, <c>GFLOP/s</c>, <c>GOP/s</c> or the family's own.</param>
/// <param name="RoofPercent">The time that the roofs allow, divided by the median, times 100.</param>
/// <param name="Error">The largest error against the oracle; NaN if a result was not a number where it should be.</param>
/// <param name="Held">Whether the error is within the contender's tolerance.</param>
/// <param name="IsDefault">See <see cref="IContender.IsDefault"/>.</param>
/// <param name="SolvesTheSameProblem">See <see cref="IContender.SolvesTheSameProblem"/>.</param>
/// <param name="Recorded">The comparison with results recorded in the input file, if it holds any.</param>
internal sealed record ResultRow(
    string Family, string Identity, string Workload, int Threads, Timing Timing, double Rate, string Unit, double RoofPercent, double Error, bool Held,
    bool IsDefault, bool SolvesTheSameProblem, RecordedComparison? Recorded)
{
    public const string RoofFamily = "roof";

    private const string RivalPrefix = "rival/";

    /// <summary>The least share of the cores that as many threads should have: 1.5 of two.</summary>
    public const double LeastShareOfCores = 0.75;

    /// <summary>
    /// How many times the multiply-adds of one thread those of <see cref="Threads"/> threads did in the same rounds: the cores that were there.
    /// </summary>
    public double Cores { get; init; } = 1;

    /// <summary>Whether the threads had cores to run on; if not, the row says nothing about them.</summary>
    public bool HadItsCores => Cores >= LeastShareOfCores * Threads;

    public bool IsRoof => Family == RoofFamily;

    public bool IsRival => Identity.StartsWith(RivalPrefix, StringComparison.Ordinal);

    /// <summary>The identity below a heading that names the family.</summary>
    public string ShortIdentity => Identity.StartsWith($"{Family}/", StringComparison.Ordinal) && !IsRoof ? Identity[(Family.Length + 1)..] : Identity;

    public bool Passed => Held && Recorded is null or { Held: true };

    public double MsMedian => Timing.Median * 1e3;

    public double MsMin => Timing.Minimum * 1e3;
}
