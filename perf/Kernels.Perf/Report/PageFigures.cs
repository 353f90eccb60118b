using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>
/// Fills the blocks of figures in a page: what stands between <c>figures from FILE: titles</c> and <c>end of figures</c> (both in comments) is
/// copied from that results file. Titles are separated by semicolons, a star at the end stands for any rest; without titles all tables are meant.
/// Of a digest, which is one table, the rows of the families named are copied. Where nothing was measured, the block says so.
/// </summary>
internal static partial class PageFigures
{
    /// <summary>The page with its blocks filled.</summary>
    /// <param name="page">The text.</param>
    /// <param name="read">Reads a results file by its path in the repository; null if there is none.</param>
    public static string Fill(string page, Func<string, string?> read) =>
        Block().Replace(page.ReplaceLineEndings("\n"), block =>
        $"{block.Groups["head"].Value}\n{Copy(read(block.Groups["file"].Value), Titles(block.Groups["titles"].Value))}\n<!-- end of figures -->");

    // The names of a table's columns, and the line below them.
    private const int HeadingRows = 2;

    private static string[] Titles(string list) => list.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private const string Nothing =
        "Not measured yet on this machine with the intervals that docs/benchmarking.md asks for: `compare` with `--save` writes what belongs here.";

    private static string Copy(string? results, string[] titles)
    {
        if (results is null)
            return Nothing;
        ResultsFile file = ResultsFile.Parse(results);
        string[] table = [.. file.Head.Split('\n').Where(line => line.StartsWith('|'))];
        IEnumerable<string> rows = table.Where((row, i) => i < HeadingRows || titles.Length == 0
            || titles.Any(title => row.StartsWith($"| {title} |", StringComparison.Ordinal)));
        string[] head = [.. file.Head.Split('\n').Where(line => line.StartsWith("- Machine", StringComparison.Ordinal)), .. rows];
        IEnumerable<string> tables =
            from section in file.Sections
            where section.Title != ResultsFile.RoofsTitle && (titles.Length == 0 || titles.Any(title => Means(title, section.Title)))
            select $"**{section.Title}**\n\n{section.Body}";
        // A digest is a table itself, in which the families asked for may have no row.
        if (table.Length > 0 ? rows.Count() == HeadingRows : !tables.Any())
            return Nothing;
        return string.Join("\n\n", head.Length == 0 ? tables : tables.Prepend(string.Join('\n', head)));
    }

    private static bool Means(string title, string section) =>
        title.EndsWith('*') ? section.StartsWith(title[..^1], StringComparison.Ordinal) : section == title;

    [GeneratedRegex(@"(?<head><!-- figures from (?<file>perf/results/[^\s:]+)(?:: (?<titles>[^\n]*?))? -->)\n.*?<!-- end of figures -->",
        RegexOptions.Singleline)]
    private static partial Regex Block();
}
