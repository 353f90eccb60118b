using System.Globalization;
using System.Net;
using System.Text;
using CharRnn;

namespace Kernels.Perf;

/// <summary>A report as one page that needs nothing else: style and charts are inside.</summary>
internal static class HtmlReport
{
    public static void Write(Report report, string path)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture,
            $"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" " +
            $"content=\"width=device-width\">\n<title>{Encode(report.Title)}</title>\n<style>\n{EmbeddedText.Read("report.css")}</style>\n<main>\n");
        page.Append(CultureInfo.InvariantCulture,
            $"<h1>{Encode(report.Title)}</h1>\n<p>{Encode(MachineLabel.Full)}</p>\n<p>{report.Date:yyyy-MM-dd HH:mm} UTC</p>\n");
        page.Append(report.Passed
            ? "<span class=\"verdict\">every check against the double-precision oracle held</span>\n"
            : "<span class=\"verdict bad\">a check failed: numbers in red</span>\n");
        page.Append("<div class=\"legend\"><span><i style=\"background:var(--cpu)\"></i>managed SIMD</span><span><i " +
            "style=\"background:var(--native)\"></i>native C++</span>"
            + "<span><i style=\"background:var(--gpu)\"></i>GPU</span><span><i style=\"background:var(--rival)\"></i>rival</span><span><i " +
                "style=\"background:var(--roof)\"></i>roof</span></div>\n");
        if (report.HasSeveralFamilies)
            AtAGlance(page, report);
        if (report.Chain is { } chain)
            Chain(page, chain);
        foreach (IGrouping<string, ResultRow> unit in report.Roofs.GroupBy(row => row.Unit))
            Section(page, $"Roofs, {unit.Key}", "What this machine did in the same run with nothing but loads, stores or multiply-adds.", [.. unit]);
        foreach (IGrouping<string, ResultRow> workload in report.Workloads)
            Section(page, Report.Heading(workload), Caption(workload), [.. workload]);
        if (report.Rivals.Count > 0)
            Rivals(page, report.Rivals);
        File.WriteAllText(path, page.Append("</main>\n</html>\n").ToString());
    }

    private static void Section(StringBuilder page, string title, string caption, IReadOnlyList<ResultRow> rows) =>
        page.Append(CultureInfo.InvariantCulture,
        $"<section id=\"{Anchor(rows[0])}\">\n<h2>{Encode(title)}</h2>\n<p>{Encode(caption)}</p>\n{BarChart.Draw(rows)}</section>\n");

    private static void AtAGlance(StringBuilder page, Report report)
    {
        page.Append("<section>\n<h2>At a glance</h2>\n<p>Each family's default variant on its first workload. A family's name leads to its " +
            "charts.</p>\n<table>\n");
        page.Append("<tr><th>family</th><th class=\"words\">workload</th><th class=\"words\">variant</th><th>threads</th><th>rate</th><th>of " +
            "roof</th><th>checks held</th></tr>\n");
        foreach (FamilyLine line in report.AtAGlance)
        {
            ResultRow row = line.Row;
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td><a href=\"#{Anchor(row)}\">{Encode(row.Family)}</a></td><td class=\"words\">{Encode(row.Workload)}</td><td " +
                $"class=\"words\">{Encode(row.ShortIdentity)}</td><td>{row.Threads}</td>");
            page.Append(CultureInfo.InvariantCulture,
                $"<td>{Encode(Format.Rate(row))}</td><td>{Format.Percent(row.RoofPercent)}</td><td>{line.ChecksText}</td></tr>\n");
        }
        page.Append("</table>\n</section>\n");
    }

    // Where a workload's section begins.
    private static string Anchor(ResultRow row) => Encode($"{row.Family}-{row.Workload}".Replace(' ', '-'));

    private static void Chain(StringBuilder page, ModelChain chain)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>{Encode(ModelChain.Title)}</h2>\n<p>{Encode(chain.Summary)}</p>\n<table>\n");
        page.Append("<tr><th>matrices</th><th>bits per character</th><th>bytes</th><th>characters/s read</th><th>characters/s written</th></tr>\n");
        foreach (WeightRow row in chain.Rows)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Encode(row.Name)}</td><td>{Format.Bits(row)}</td><td>{Format.Count(row.ByteCount)}</td>" +
                $"<td>{Format.Count(row.CharactersReadPerSecond)}</td><td>{Format.Count(row.CharactersWrittenPerSecond)}</td></tr>\n");
        page.Append("</table>\n<div class=\"texts\">\n");
        foreach (WeightRow row in chain.Rows)
            page.Append(CultureInfo.InvariantCulture,
                $"<figure><figcaption>{Encode(row.Name)} writes</figcaption><blockquote>{Encode(row.Sample)}</blockquote></figure>\n");
        page.Append("</div>\n</section>\n");
    }

    private static string Caption(IEnumerable<ResultRow> rows) =>
        rows.FirstOrDefault(row => row.Recorded is not null)?.Recorded is { } recorded
            ? $"Longer is faster. Largest difference to the results recorded in the file: {Format.Error(recorded.LargestDifference)}."
            : "Longer is faster.";

    private static void Rivals(StringBuilder page, IReadOnlyList<RivalStatus> rivals)
    {
        page.Append("<section>\n<h2>Rivals</h2>\n<ul>\n");
        foreach (RivalStatus rival in rivals)
            page.Append(CultureInfo.InvariantCulture, $"<li>{Encode(rival.Identity)}: {Encode(rival.Text)}</li>\n");
        page.Append("</ul>\n</section>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
