namespace Kernels.Perf;

/// <summary>Everything that one run of a verb found out.</summary>
internal sealed record Report(string Title, DateTimeOffset Date, IReadOnlyList<ResultRow> Roofs, IReadOnlyList<ResultRow> Rows,
    IReadOnlyList<RivalStatus> Rivals)
{
    /// <summary>The way through the whole library, if the verb went it.</summary>
    public ModelChain? Chain { get; init; }

    public bool Passed => Roofs.All(row => row.Passed) && Rows.All(row => row.Passed) && Chain is null or { Passed: true };

    /// <summary>The rows of each workload, in the order of measurement.</summary>
    public IEnumerable<IGrouping<string, ResultRow>> Workloads => Rows.GroupBy(row => row.Workload);

    /// <summary>One line for each family: its default variant with the most threads on its first workload, and how many of its checks held.</summary>
    public IEnumerable<FamilyLine> AtAGlance => Rows.Where(row => !row.IsRival).GroupBy(row => row.Family).Select(family =>
    {
        ResultRow[] first = [.. family.Where(row => row.Workload == family.First().Workload)];
        ResultRow shown = first.Where(row => row.IsDefault).MaxBy(row => row.Threads) ?? first[0];
        return new FamilyLine(shown, family.Count(row => row.Passed), family.Count());
    });

    /// <summary>Whether a line for each family says more than the tables of one.</summary>
    public bool HasSeveralFamilies => Rows.Select(row => row.Family).Distinct().Count() > 1;

    /// <summary>The heading of a workload.</summary>
    public static string Heading(IGrouping<string, ResultRow> workload) => $"{workload.First().Family}: {workload.Key}";

    /// <summary>
    /// How our default variant stands beside this row, on the same workload with as many threads; null if there is none, or the row is no rival's.
    /// </summary>
    public Advantage? Advantage(ResultRow row) =>
        row.IsRival && row.SolvesTheSameProblem
        && Rows.FirstOrDefault(ours => ours.IsDefault && ours.Workload == row.Workload && ours.Threads == row.Threads) is { } found
            ? new Advantage(PairedRatio.Of(row.Timing.Samples, found.Timing.Samples), StatusOf(row)?.HeldBack is not null)
            : null;

    /// <summary>The same as a cell of a table; empty where there is nothing to say.</summary>
    public string AdvantageText(ResultRow row) => Advantage(row) is not { } advantage ? "" : row.HadItsCores ? advantage.ToString()
        : Perf.Advantage.WithoutCores(row.Cores);

    // Several contenders may share a rival's line; the longest name that fits is theirs.
    private RivalStatus? StatusOf(ResultRow row) => Rivals.Where(rival => row.Identity.StartsWith(rival.Identity, StringComparison.Ordinal))
        .MaxBy(rival => rival.Identity.Length);
}

/// <summary>A family in one line.</summary>
internal sealed record FamilyLine(ResultRow Row, int ChecksHeld, int Checks)
{
    public string ChecksText => $"{ChecksHeld} of {Checks}";
}
