using System.CommandLine;

namespace Kernels.Perf;

/// <summary><c>showcase</c>: every family on every backend found, checked, timed and held against the roofs.</summary>
internal static class ShowcaseVerb
{
    public static Command Create()
    {
        var input = new Option<FileInfo?>("--input") { Description = "Run on the arrays of this .npy, .safetensors or .json file instead of the embedded workloads." };
        Option<FileInfo?> page = VerbOptions.Report();
        Option<bool> json = VerbOptions.Json();
        var command = new Command("showcase", "Run every family on every backend found: check against the oracle, time, compare with this machine's roofs.") { input, page, json };
        command.SetAction(parsed => Run(parsed.GetValue(input), parsed.GetValue(page), parsed.GetValue(json)));
        return command;
    }

    private static int Run(FileInfo? input, FileInfo? page, bool json)
    {
        try
        {
            // Files are read before anything is measured, so that a bad one is reported at once.
            (string Family, WorkloadPlan[] Plans)[] work =
                [.. Families.All.Select(family => (family.Family, Plans: (WorkloadPlan[])[.. input is null ? family.Showcase() : family.FromFile(input.FullName)]))];
            Report report = ProgressLine.During(json, progress => Measure(work, progress));
            return ReportWriter.Write(report, json, page);
        }
        catch (InputFormatException bad)
        {
            Console.Error.WriteLine(bad.Message);
            return ExitCode.BadInput;
        }
    }

    private static Report Measure((string Family, WorkloadPlan[] Plans)[] work, ProgressLine progress)
    {
        using var roofs = new RoofBench(ThreadCounts.OneAndAll, progress);
        var measurement = new FamilyMeasurement(roofs, Effort.Showcase, progress);
        ResultRow[] rows = [.. work.SelectMany(entry => measurement.Run(entry.Family, entry.Plans))];
        return new Report("Kernels showcase", DateTimeOffset.UtcNow, roofs.Rows, rows, []);
    }
}
