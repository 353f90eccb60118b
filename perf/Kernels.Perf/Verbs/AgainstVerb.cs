using Spectre.Console;

namespace Kernels.Perf;

/// <summary><c>compare FAMILY --against COMMIT</c>: what a change did to our default variants' speed.</summary>
internal static class AgainstVerb
{
    public static int Run(IFamilyBench bench, int[] threads, string commit, bool quick, string? workload, bool json)
    {
        try
        {
            (string name, BuildRow[] rows) = ProgressLine.During(json, progress => Measure(bench, threads, commit, quick, workload, progress));
            if (json)
                WriteJson(bench.Family, rows);
            else
                WriteTable(bench.Family, name, rows);
            return Array.TrueForAll(rows, row => row.Held) ? ExitCode.Passed : ExitCode.CheckFailed;
        }
        catch (InvalidOperationException bad)
        {
            Console.Error.WriteLine($"--against {commit}: {bad.Message}");
            return ExitCode.BadInput;
        }
    }

    private static (string Commit, BuildRow[] Rows) Measure(IFamilyBench bench, int[] threads, string commit, bool quick, string? workload,
        ProgressLine progress)
    {
        progress.Say($"building {commit}");
        OtherBuild other = OtherBuild.Of(MarkdownResults.RepositoryRoot(), commit);
        using var roofs = new RoofBench(threads, progress);
        var comparison = new BuildComparison(roofs, quick ? Effort.Quick : bench.FullEffort, progress);
        return (other.Commit, [.. comparison.Run(bench.Compare(threads, quick), other.Compare(bench.Family, threads, quick), workload)]);
    }

    private static void WriteTable(string family, string commit, BuildRow[] rows)
    {
        IAnsiConsole console = ConsoleReport.Console();
        console.MarkupLineInterpolated($"[bold]{MachineLabel.Full}[/]");
        Table table = new Table().Border(TableBorder.Simple).Title($"[bold]{family}: {commit} (before) and this build (after)[/]").LeftAligned();
        table.AddColumns("workload", "threads", "before ms", "after ms", "after is faster", "verdict");
        foreach (BuildRow row in rows)
            table.AddRow(Markup.Escape(row.Workload), $"{row.Threads}", Format.Milliseconds(row.Before.Median * 1e3),
                Format.Milliseconds(row.After.Median * 1e3), row.RatioText, row.Verdict);
        console.Write(table);
        foreach (IGrouping<int, BuildRow> told in rows.Where(row => row.Verdict is not "cannot be told").GroupBy(row => row.Threads))
            console.MarkupLineInterpolated(
                $"threads {told.Key}, geometric mean of {told.Count()}: {new Advantage(PairedRatio.GeometricMean([.. told.Select(row => row.Ratio)]))}");
    }

    private static void WriteJson(string family, BuildRow[] rows)
    {
        foreach (BuildRow row in rows)
        {
            Console.WriteLine(new JsonLine(family, "before", row.Workload, row.Threads, row.Before.Median * 1e3, row.Before.Minimum * 1e3, null, "", null,
                null)
            { MsSamples = Milliseconds(row.Before), Cores = row.Cores });
            Console.WriteLine(new JsonLine(family, "after", row.Workload, row.Threads, row.After.Median * 1e3, row.After.Minimum * 1e3, null, "", null, null)
            {
                MsSamples = Milliseconds(row.After),
                Ratio = row.Ratio.Median,
                RatioLow = row.Ratio.Low,
                RatioHigh = JsonLine.Finite(row.Ratio.High),
                Cores = row.Cores,
            });
        }
    }

    private static double[] Milliseconds(Timing timing) => [.. timing.Samples.Select(seconds => seconds * 1e3)];
}
