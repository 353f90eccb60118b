using System.Globalization;
using System.Text;

namespace Kernels.Perf;

/// <summary>A report as a file under perf/results, so that no figure is ever copied by hand.</summary>
internal static class MarkdownResults
{
    private const string SolutionName = "Kernels.sln";

    /// <summary>Writes <c>perf/results/[machine]/[family].md</c> of the repository that this program was built in, and returns its path.</summary>
    public static string Save(Report report, string family)
    {
        string path = Path.Combine(RepositoryRoot(), "perf", "results", MachineLabel.Slug, $"{family}.md");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, Text(report));
        return path;
    }

    private static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, SolutionName)))
                return folder.FullName;
        }
        return Environment.CurrentDirectory;
    }

    private static string Text(Report report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {report.Title}\n\nWritten by `compare --save`; definitions in docs/benchmarking.md.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- Machine: {MachineLabel.Full}\n- Date: {report.Date:yyyy-MM-dd HH:mm} UTC\n");
        foreach (RivalStatus rival in report.Rivals)
            text.Append(CultureInfo.InvariantCulture, $"- {rival.Identity}: {rival.AbsentReason ?? rival.Version}\n");
        Append(text, "Roofs", report.Roofs, report);
        foreach (IGrouping<string, ResultRow> workload in report.Workloads)
            Append(text, workload.Key, workload, report);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string title, IEnumerable<ResultRow> rows, Report report)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| variant | threads | median ms | minimum ms | rate | of roof | largest error | ours is faster |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (ResultRow row in rows)
        {
            string advantage = report.Advantage(row) is { } ratio ? Format.Ratio(ratio) : "";
            text.Append(CultureInfo.InvariantCulture, $"| {row.Identity} | {row.Threads} | {Format.Milliseconds(row.MsMedian)} | {Format.Milliseconds(row.MsMin)} | {Format.Rate(row)} | {Format.Percent(row.RoofPercent)} | {Format.Error(row.Error)} | {advantage} |\n");
        }
    }
}
