using CharRnn;

namespace Kernels.Perf;

/// <summary>Hands a finished report to whoever asked for it.</summary>
internal static class ReportWriter
{
    public static int Write(Report report, bool json, FileInfo? page)
    {
        if (json)
        {
            foreach (ResultRow row in report.Roofs.Concat(report.Rows))
                Console.WriteLine(JsonLine.Of(row, report));
            foreach (WeightRow row in report.Chain?.Rows ?? [])
                Console.WriteLine(ModelChainJsonLine.Of(row));
        }
        else
        {
            ConsoleReport.Write(report);
        }
        if (page is not null)
        {
            try
            {
                HtmlReport.Write(report, page.FullName);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"--report {page}: {fault.Message}");
                return ExitCode.BadInput;
            }
            Say(json, $"Page: {page.FullName}");
        }
        return ExitCode.Of(report);
    }

    /// <summary>Prints a line unless the output is for a program.</summary>
    public static void Say(bool json, string line)
    {
        if (!json)
            Console.WriteLine(line);
    }
}
