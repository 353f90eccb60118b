namespace Kernels.Perf;

/// <summary>Everything that one run of a verb found out.</summary>
internal sealed record Report(string Title, DateTimeOffset Date, IReadOnlyList<ResultRow> Roofs, IReadOnlyList<ResultRow> Rows, IReadOnlyList<RivalStatus> Rivals)
{
    /// <summary>The way through the whole library, if the verb went it.</summary>
    public ModelChain? Chain { get; init; }

    public bool Passed => Roofs.All(row => row.Passed) && Rows.All(row => row.Passed) && Chain is null or { Passed: true };

    /// <summary>The rows of each workload, in the order of measurement.</summary>
    public IEnumerable<IGrouping<string, ResultRow>> Workloads => Rows.GroupBy(row => row.Workload);

    /// <summary>
    /// How many times faster our default variant is than this row, on the same workload with the same number of threads; null if it is not there.
    /// </summary>
    public double? Advantage(ResultRow row) =>
        row.IsRival && row.SolvesTheSameProblem && Rows.FirstOrDefault(ours => ours.IsDefault && ours.Workload == row.Workload && ours.Threads == row.Threads) is { } found
            ? row.Timing.Median / found.Timing.Median
            : null;
}
