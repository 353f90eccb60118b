using System.Globalization;
using System.Net;
using System.Text;

namespace Kernels.Perf;

/// <summary>Rows as horizontal bars of their rates, in inline SVG. All sizes are in the units of the view box.</summary>
internal static class BarChart
{
    private const int Width = 990, NameWidth = 250, NumbersWidth = 330, RowHeight = 26, BarHeight = 15, HeadHeight = 22;
    private const int ErrorRight = Width, PercentRight = Width - 95, RateRight = Width - 165, TimeRight = Width - 262;
    private const int BarWidth = Width - NameWidth - NumbersWidth - 20;
    private const int GridLines = 4, Baseline = 12;

    public static string Draw(IReadOnlyList<ResultRow> rows)
    {
        int height = HeadHeight + rows.Count * RowHeight + 2;
        double largest = rows.Max(row => row.Rate);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\">");
        Head(svg, height, rows[0].Unit);
        for (int i = 0; i < rows.Count; i++)
            Row(svg, rows[i], HeadHeight + i * RowHeight, BarWidth * rows[i].Rate / largest);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Head(StringBuilder svg, int height, string unit)
    {
        for (int i = 0; i <= GridLines; i++)
        {
            int x = NameWidth + BarWidth * i / GridLines;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{HeadHeight - 2}\" y2=\"{height}\"/>");
        }
        Text(svg, "variant x threads", 0, Baseline, "soft", "start");
        Text(svg, "ms", TimeRight, Baseline, "soft", "end");
        Text(svg, unit, RateRight, Baseline, "soft", "end");
        Text(svg, "of roof", PercentRight, Baseline, "soft", "end");
        Text(svg, "largest error", ErrorRight, Baseline, "soft", "end");
    }

    private static void Row(StringBuilder svg, ResultRow row, int top, double length)
    {
        int baseline = top + Baseline + (RowHeight - BarHeight) / 4;
        Text(svg, $"{row.Identity} x {row.Threads}", 0, baseline, "", "start");
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{Colour(row)}\" x=\"{NameWidth}\" y=\"{top + 3}\" width=\"{length:0.0}\" height=\"{BarHeight}\" rx=\"2\"/>");
        Text(svg, Format.Milliseconds(row.MsMedian), TimeRight, baseline, "soft", "end");
        Text(svg, Format.Number(row.Rate), RateRight, baseline, "", "end");
        if (!row.IsRoof)
            Text(svg, Format.Percent(row.RoofPercent), PercentRight, baseline, "", "end");
        Text(svg, Format.Error(row), ErrorRight, baseline, row.Passed ? "soft" : "bad", "end");
    }

    /// <summary>The style class of a row: roof, rival, or the backend's word in the identity.</summary>
    private static string Colour(ResultRow row) =>
        row.IsRoof ? ResultRow.RoofFamily : row.IsRival ? "rival" : row.Identity.Split('/')[2];

    private static void Text(StringBuilder svg, string text, int x, int y, string style, string anchor) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"{style}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{WebUtility.HtmlEncode(text)}</text>");
}
