namespace Kernels.Perf;

/// <summary>Runs of the roof loops, and the rates they show.</summary>
internal sealed class RoofSamples
{
    private readonly List<RoofSample> _samples = [];

    public void Add(RoofSample sample) => _samples.Add(sample);

    /// <summary>Bytes or operations per second of a roof with this many threads: the median of the samples.</summary>
    public double PerSecond(RoofKind kind, int threads)
    {
        RoofSample[] own = [.. _samples.Where(sample => sample.Kind == kind && sample.Threads == threads)];
        return own[0].Work / Statistics.Median([.. own.Select(sample => sample.Seconds)]);
    }

    /// <summary>How many times the multiply-adds of one thread those of this many threads did.</summary>
    public double Cores(int threads) => threads == 1 ? 1 : PerSecond(RoofKind.MultiplyAdd, threads) / PerSecond(RoofKind.MultiplyAdd, 1);

    /// <summary>A row for each roof and number of threads.</summary>
    /// <param name="errors">The outcome of each loop's check.</param>
    public IReadOnlyList<ResultRow> Rows(IReadOnlyDictionary<(RoofKind Kind, int Threads), double> errors) =>
    [
        .. from sample in _samples
           group sample by (sample.Kind, sample.Threads) into roof
           orderby roof.Key.Threads, roof.Key.Kind
           select Row(roof.Key.Kind, roof.Key.Threads, [.. roof], errors[roof.Key]),
    ];

    // The lanes' sums are added in float.
    private const double Tolerance = 1e-6;

    private ResultRow Row(RoofKind kind, int threads, RoofSample[] samples, double error)
    {
        var timing = new Timing([.. samples.Select(sample => sample.Seconds)]);
        double work = samples[0].Work;
        (string identity, string unit) = kind switch
        {
            RoofKind.Read => ("roof/read", "GB/s"),
            RoofKind.Copy => ("roof/copy", "GB/s"),
            RoofKind.CopyNonTemporal => ("roof/copy-nt", "GB/s"),
            RoofKind.NibbleDot => ("roof/u4-dot", "GOP/s"),
            RoofKind.ByteDot => ("roof/i8-dot", "GOP/s"),
            _ => ("roof/fma", "GFLOP/s"),
        };
        string workload = kind is RoofKind.ByteDot ? $"registers, {ByteDotLoop.Instruction}" : kind is RoofKind.MultiplyAdd or RoofKind.NibbleDot ? "registers"
            : $"{(long)work >> 20} MiB";
        return new ResultRow(ResultRow.RoofFamily, identity, workload, threads, timing, work / timing.Median / 1e9, unit, 100, error, error <= Tolerance,
            IsDefault: false, SolvesTheSameProblem: true, null)
        { Cores = Cores(threads) };
    }
}
