using System.Globalization;
using System.Security;
using System.Text;

namespace Plots;

/// <summary>A labelled point.</summary>
internal readonly record struct PlotPoint(double X, double Y, string Label);

/// <summary>Labelled points and lines between two axes, as a self-contained SVG file.</summary>
internal sealed class SvgPlot(string title, PlotAxis x, PlotAxis y)
{
    private const double Width = 760, Height = 460, Left = 76, Right = 24, Top = 44, Bottom = 56, Dot = 4.5, FontSize = 12, LetterWidth = 6.6, LineHeight = 15;
    private const double LegendLeft = 520, LegendTop = 16, LegendStroke = 24;

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public double Overlap(Box other) => Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
            * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));

        public double Outside(Box frame) => (Right - Left) * (Bottom - Top) - Overlap(frame);
    }

    private static readonly Box s_frame = new(Left, Top, Width - Right, Height - Bottom);

    private readonly StringBuilder _marks = new();
    private int _lines;

    /// <summary>Dots, each with its label where it hides no other as far as there is room.</summary>
    public void AddPoints(IReadOnlyList<PlotPoint> points)
    {
        List<Box> taken = [.. points.Select(point => new Box(Across(point.X) - Dot, Down(point.Y) - Dot, Across(point.X) + Dot, Down(point.Y) + Dot))];
        foreach (PlotPoint point in points)
        {
            double across = Across(point.X), down = Down(point.Y);
            Box label = Candidates(across, down, point.Label.Length * LetterWidth).MinBy(box => box.Outside(s_frame) + taken.Sum(box.Overlap));
            taken.Add(label);
            // Far from its point, a label gets a line to it.
            double nearX = Math.Clamp(across, label.Left, label.Right), nearY = Math.Clamp(down, label.Top, label.Bottom);
            if (Math.Abs(nearX - across) + Math.Abs(nearY - down) > 3 * Dot)
                _marks.Append(CultureInfo.InvariantCulture, $"<path d=\"M{across:0.#} {down:0.#}L{nearX:0.#} {nearY:0.#}\" stroke=\"#aaa\"/>\n");
            _marks.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{across:0.#}\" cy=\"{down:0.#}\" r=\"{Dot}\" fill=\"#1f6feb\"/>\n");
            _marks.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{label.Left:0.#}\" y=\"{label.Bottom - LineHeight / 4:0.#}\">{SecurityElement.Escape(point.Label)}</text>\n");
        }
    }

    /// <summary>A line through points, named at the upper right.</summary>
    public void AddLine(IReadOnlyList<(double X, double Y)> points, string colour, string name)
    {
        string corners = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{Across(point.X):0.#},{Down(point.Y):0.#}")));
        double baseline = LegendTop + LineHeight * _lines++;
        _marks.Append(CultureInfo.InvariantCulture,
            $"<polyline points=\"{corners}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n");
        _marks.Append(CultureInfo.InvariantCulture,
            $"<path d=\"M{LegendLeft} {baseline - LineHeight / 4}h{LegendStroke}\" stroke=\"{colour}\" stroke-width=\"3\"/>");
        _marks.Append(CultureInfo.InvariantCulture, $"<text x=\"{LegendLeft + LegendStroke + Dot}\" y=\"{baseline}\">{SecurityElement.Escape(name)}</text>\n");
    }

    public override string ToString()
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" font-family=\"sans-serif\" " +
            $"font-size=\"{FontSize}\" fill=\"#222\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Top - 20}\" font-size=\"14\">{SecurityElement.Escape(title)}</text>\n");
        foreach (double tick in x.Ticks)
            svg.Append(CultureInfo.InvariantCulture,
                $"<path d=\"M{Across(tick):0.#} {Top}V{s_frame.Bottom}\" stroke=\"#e4e4e4\"/><text x=\"{Across(tick):0.#}\" y=\"{s_frame.Bottom + 18}\" " +
                $"text-anchor=\"middle\">{PlotAxis.Text(tick)}</text>\n");
        foreach (double tick in y.Ticks)
            svg.Append(CultureInfo.InvariantCulture,
                $"<path d=\"M{Left} {Down(tick):0.#}H{s_frame.Right}\" stroke=\"#e4e4e4\"/><text x=\"{Left - 8}\" y=\"{Down(tick) + 4:0.#}\" " +
                $"text-anchor=\"end\">{PlotAxis.Text(tick)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Top}V{s_frame.Bottom}H{s_frame.Right}\" fill=\"none\" stroke=\"#888\"/>\n");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text x=\"{(Left + s_frame.Right) / 2}\" y=\"{Height - 14}\" text-anchor=\"middle\">{SecurityElement.Escape(x.Title)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text transform=\"translate(18 {(Top + s_frame.Bottom) / 2})rotate(-90)\" text-anchor=\"middle\">{SecurityElement.Escape(y.Title)}</text>\n");
        return svg.Append(_marks).Append("</svg>\n").ToString();
    }

    // Right, left, above and below, then the same farther and farther away.
    private static IEnumerable<Box> Candidates(double across, double down, double width)
    {
        const double nearest = 2 * Dot;
        for (double distance = nearest; distance < Width / 4; distance += LineHeight / 2)
        {
            foreach ((double left, double middle) in new[] { (across + nearest, down - distance + nearest), (across + nearest, down + distance - nearest),
                (across - nearest - width, down - distance + nearest), (across - nearest - width, down + distance - nearest),
                (across - width / 2, down - distance - LineHeight / 2), (across - width / 2, down + distance + LineHeight / 2) })
                yield return new(left, middle - LineHeight / 2, left + width, middle + LineHeight / 2);
        }
    }

    private double Across(double value) => Left + x.Place(value) * (s_frame.Right - s_frame.Left);

    private double Down(double value) => s_frame.Bottom - y.Place(value) * (s_frame.Bottom - s_frame.Top);
}
