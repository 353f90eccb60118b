using System.CommandLine;

namespace Kernels.Perf;

/// <summary><c>compare FAMILY</c>: our variants and the rivals installed here, in turn in the same run.</summary>
internal static class CompareVerb
{
    // More than any machine of today has; each takes a stack.
    private const int LargestThreadCount = 1024;

    private static readonly int[] s_defaultThreads = [1, 2];

    public static Command Create()
    {
        var family = new Argument<string>("family") { Description = $"One of: {string.Join(", ", Families.All.Select(bench => bench.Family))}." };
        family.AcceptOnlyFromAmong([.. Families.All.SelectMany(bench => bench.Names)]);
        var threads = new Option<string?>(
            "--threads")
        { Description = "Numbers of threads, such as 1,2 (the default on machines with two processors or more)." };
        var filter = new Option<string?>("--filter") { Description = "Only contenders whose identity or workload contains this text." };
        var workload = new Option<string?>("--workload") { Description = "Only workloads whose name contains this text; no other is brought into memory." };
        var quick = new Option<bool>("--quick") { Description = "Few rounds: done within a minute." };
        var save = new Option<bool>("--save")
        {
            Description = "Also write the tables into perf/results/[machine]/[family].md; workloads that were not " +
            "measured keep theirs of the same commit."
        };
        var against = new Option<string?>(
            "--against")
        { Description = "Instead of rivals: this library at another commit, built beside this one and timed in turn with it." };
        Option<FileInfo?> page = VerbOptions.Report();
        Option<bool> json = VerbOptions.Json();
        var command = new Command("compare", "Measure a family and its rivals in turn in the same run.") { family, threads, filter, workload, quick, save,
            against, page, json };
        command.SetAction(parsed =>
        {
            IFamilyBench bench = Families.All.Single(known => known.Names.Contains(parsed.GetValue(family)));
            if (!TryParseThreads(parsed.GetValue(threads), out int[] counts))
            {
                Console.Error.WriteLine($"--threads {parsed.GetValue(threads)}: numbers from 1 to {LargestThreadCount}, separated by commas, are needed");
                return ExitCode.BadInput;
            }
            if (parsed.GetValue(save) && parsed.GetValue(filter) is not null)
            {
                Console.Error.WriteLine("--save with --filter: a table that lacks contenders is no result; --workload picks whole tables");
                return ExitCode.BadInput;
            }
            if (parsed.GetValue(against) is { } commit)
                return AgainstVerb.Run(bench, counts, commit, parsed.GetValue(quick), parsed.GetValue(workload), parsed.GetValue(json));
            Report report = ProgressLine.During(parsed.GetValue(json), progress =>
                Measure(bench, counts, parsed.GetValue(quick), parsed.GetValue(filter), parsed.GetValue(workload), progress));
            if (parsed.GetValue(save))
                ReportWriter.Say(parsed.GetValue(json), $"Saved: {MarkdownResults.Save(report, bench.Family, WorkloadNames(bench, counts))}");
            return ReportWriter.Write(report, parsed.GetValue(json), parsed.GetValue(page));
        });
        return command;
    }

    private static Report Measure(IFamilyBench bench, int[] threads, bool quick, string? filter, string? workload, ProgressLine progress)
    {
        using var roofs = new RoofBench(threads, progress);
        progress.Say("looking for rivals");
        _ = bench.Rivals;
        ResultRow[] rows = [.. new FamilyMeasurement(roofs, quick ? Effort.Quick : bench.FullEffort, progress, filter, workload)
            .Run(bench.Family, bench.Compare(threads, quick))];
        return new Report($"{bench.Family}: ours and rivals", DateTimeOffset.UtcNow, roofs.Rows, rows, bench.Rivals);
    }

    private static string[] WorkloadNames(IFamilyBench bench, int[] threads) =>
        [.. bench.Compare(threads, quick: false).Concat(bench.Compare(threads, quick: true)).Select(plan => plan.Name).Distinct()];

    private static bool TryParseThreads(string? text, out int[] threads)
    {
        if (text is null)
        {
            threads = [.. s_defaultThreads.Where(count => count <= MachineInfo.Current.ProcessorCount)];
            return true;
        }
        int[] parsed = [.. text.Split(',').Select(part => int.TryParse(part, out int count) ? count : 0).Distinct().Order()];
        threads = parsed;
        return Array.TrueForAll(parsed, count => count is > 0 and <= LargestThreadCount);
    }
}
