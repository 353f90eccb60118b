using System.CommandLine;

namespace Kernels.Perf;

/// <summary><c>showcase</c>: every family on every backend found, checked, timed and held against the roofs.</summary>
internal static class ShowcaseVerb
{
    private const int StandardTrainingSeconds = 20;

    public static Command Create()
    {
        var input = new Option<FileInfo?>(
            "--input")
        { Description = "Run on the arrays of this .npy, .safetensors or .json file instead of the embedded workloads." };
        var training = new Option<int>("--train-seconds")
        {
            Description = "How long to train the small language model of the end-to-end section; 0 leaves the section out, as --input does.",
            DefaultValueFactory = _ => StandardTrainingSeconds,
        };
        training.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() < 0)
                given.AddError("--train-seconds: 0 or more is needed");
        });
        Option<FileInfo?> page = VerbOptions.Report();
        Option<bool> json = VerbOptions.Json();
        var command = new Command("showcase",
            "Run every family on every backend found: check against the oracle, time, compare with this machine's roofs; then train a small language model, " +
            "quantise it, and let it write.") { input, training, page, json };
        command.SetAction(parsed => Run(parsed.GetValue(input), TimeSpan.FromSeconds(parsed.GetValue(training)), parsed.GetValue(page), parsed.GetValue(json)));
        return command;
    }

    private static int Run(FileInfo? input, TimeSpan training, FileInfo? page, bool json)
    {
        try
        {
            // Files are read before anything is measured, so that a bad one is reported at once.
            (string Family, WorkloadPlan[] Plans)[] work =
                [.. Families.All.Select(family =>
                (family.Family, Plans: (WorkloadPlan[])[.. input is null ? family.Showcase() : family.FromFile(input.FullName)]))];
            Report report = ProgressLine.During(json, progress =>
            {
                Report measured = Measure(work, progress);
                return input is null && training > TimeSpan.Zero ? measured with { Chain = ModelChain.Run(training, progress) } : measured;
            });
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
