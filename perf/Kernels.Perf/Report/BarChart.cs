using System.Globalization;
using System.Net;
using System.Text;

namespace Kernels.Perf;

/// <summary>Rows as horizontal bars of their rates, in inline SVG. All sizes are in the units of the view box.</summary>
internal static class BarChart
{
    private const int Width = 990, RowHeight = 26, BarHeight = 15, HeadHeight = 22;
    private const int ErrorRight = Width, PercentRight = Width - 95, RateRight = Width - 165, TimeWidth = 68, Gap = 20;
    private const int GridLines = 4, Baseline = 12;

    // The style sheet's 12.5 px letters: half their size on the average, and a little more to be safe.
    private const double LetterWidth = 6.6;

    private readonly record struct Columns(int BarLeft, int BarWidth, int TimeRight)
    {
        /// <summary>Bars take what names on their left and numbers on their right leave.</summary>
        public static Columns For(IReadOnlyList<ResultRow> rows)
        {
            int left = (int)(LetterWidth * rows.Max(row => Name(row).Length)) + Gap, timeRight = RateRight - (int)(LetterWidth * rows[0].Unit.Length) - 2 * Gap;
            return new Columns(left, timeRight - TimeWidth - Gap - left, timeRight);
        }
    }

    public static string Draw(IReadOnlyList<ResultRow> rows)
    {
        int height = HeadHeight + rows.Count * RowHeight + 2;
        double largest = rows.Max(row => row.Rate);
        Columns columns = Columns.For(rows);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\">");
        Head(svg, height, rows[0].Unit, columns);
        for (int i = 0; i < rows.Count; i++)
            Row(svg, rows[i], HeadHeight + i * RowHeight, columns.BarWidth * rows[i].Rate / largest, columns);
        return svg.Append("</svg>\n").ToString();
    }

    private static string Name(ResultRow row) => $"{row.ShortIdentity} x {row.Threads}";

    private static void Head(StringBuilder svg, int height, string unit, Columns columns)
    {
        for (int i = 0; i <= GridLines; i++)
        {
            int x = columns.BarLeft + columns.BarWidth * i / GridLines;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{HeadHeight - 2}\" y2=\"{height}\"/>");
        }
        Text(svg, "variant x threads", 0, Baseline, "soft", "start");
        Text(svg, "ms", columns.TimeRight, Baseline, "soft", "end");
        Text(svg, unit, RateRight, Baseline, "soft", "end");
        Text(svg, "of roof", PercentRight, Baseline, "soft", "end");
        Text(svg, "largest error", ErrorRight, Baseline, "soft", "end");
    }

    private static void Row(StringBuilder svg, ResultRow row, int top, double length, Columns columns)
    {
        int baseline = top + Baseline + (RowHeight - BarHeight) / 4;
        Text(svg, Name(row), 0, baseline, "", "start");
        svg.Append(CultureInfo.InvariantCulture,
            $"<rect class=\"{Colour(row)}\" x=\"{columns.BarLeft}\" y=\"{top + 3}\" width=\"{length:0.0}\" height=\"{BarHeight}\" rx=\"2\"/>");
        Text(svg, Format.Milliseconds(row.MsMedian), columns.TimeRight, baseline, "soft", "end");
        Text(svg, Format.Number(row.Rate), RateRight, baseline, "", "end");
        if (!row.IsRoof)
            Text(svg, Format.OfRoof(row), PercentRight, baseline, "", "end");
        if (!row.IsRoof || !row.Passed)
            Text(svg, Format.Error(row), ErrorRight, baseline, row.Passed ? "soft" : "bad", "end");
    }

    /// <summary>The style class of a row: roof, rival, or the backend's word in the identity.</summary>
    private static string Colour(ResultRow row) =>
        row.IsRoof ? ResultRow.RoofFamily : row.IsRival ? "rival" : row.Identity.Split('/')[2];

    private static void Text(StringBuilder svg, string text, int x, int y, string style, string anchor) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"{style}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{WebUtility.HtmlEncode(text)}</text>");
}
