using System.Globalization;
using System.Text;

namespace Kernels.Perf;

/// <summary>A report as a file under perf/results, so that no figure is ever copied by hand.</summary>
internal static class MarkdownResults
{
    /// <summary>The name of the digest among the results.</summary>
    public const string DigestName = "digest.md";

    private const string SolutionName = "Kernels.sln";

    /// <summary>
    /// Writes <c>perf/results/[machine]/[family].md</c> of the repository that this program was built in, and returns its path. Workloads that were
    /// not measured now keep their tables of the same commit. The digest beside it is made anew.
    /// </summary>
    /// <param name="report">What was measured.</param>
    /// <param name="family">The family's word.</param>
    /// <param name="workloads">All workloads of the family, in order.</param>
    public static string Save(Report report, string family, IReadOnlyList<string> workloads)
    {
        string folder = Path.Combine(RepositoryRoot(), "perf", "results", MachineLabel.Slug), path = Path.Combine(folder, $"{family}.md");
        Directory.CreateDirectory(folder);
        ResultsFile results = File(report);
        if (System.IO.File.Exists(path))
            results = results.Over(ResultsFile.Parse(System.IO.File.ReadAllText(path)), workloads);
        System.IO.File.WriteAllText(path, results.ToString());
        System.IO.File.WriteAllText(Path.Combine(folder, DigestName), Digest.Of(
            from bench in Families.All
            let file = Path.Combine(folder, $"{bench.Family}.md")
            where System.IO.File.Exists(file)
            select (bench.Family, System.IO.File.ReadAllText(file))));
        return path;
    }

    /// <summary>The repository that this program was built in, or the current folder.</summary>
    public static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, SolutionName)))
                return folder.FullName;
        }
        return Environment.CurrentDirectory;
    }

    private static ResultsFile File(Report report)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture,
            $"# {report.Title}\n\nWritten by `compare --save`; definitions in docs/benchmarking.md. Each table says when it was measured; all are of one " +
            $"commit.\n\n- Machine: {MachineLabel.Hardware}\n");
        foreach (RivalStatus rival in report.Rivals)
            head.Append(CultureInfo.InvariantCulture, $"- {rival.Identity}: {rival.Text}\n");
        return new(head.ToString().Trim(),
            [Section(ResultsFile.RoofsTitle, report.Roofs, report), .. report.Workloads.Select(workload => Section(workload.Key, workload, report))]);
    }

    private static ResultsSection Section(string title, IEnumerable<ResultRow> rows, Report report)
    {
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"- Measured: {report.Date:yyyy-MM-dd HH:mm} UTC, {MachineLabel.Software}\n\n");
        body.Append("| variant | threads | median ms | minimum ms | rate | of roof | largest error | ours is faster |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (ResultRow row in rows)
        {
            body.Append(CultureInfo.InvariantCulture,
                $"| {row.Identity} | {row.Threads} | {Format.Milliseconds(row.MsMedian)} | {Format.Milliseconds(row.MsMin)} | {Format.Rate(row)} | " +
                $"{Format.OfRoof(row)} | {Format.Error(row)} | {report.AdvantageText(row)} |\n");
        }
        return new(title, body.ToString().Trim());
    }
}
