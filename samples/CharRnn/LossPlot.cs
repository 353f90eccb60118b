using System.Globalization;
using System.Text;

namespace CharRnn;

/// <summary>The losses of a run over its steps as an SVG file.</summary>
internal static class LossPlot
{
    private const int Width = 720, Height = 400, Left = 64, Right = 20, Top = 62, Bottom = 52;
    private const int WantedTicks = 6, LineLength = 24, LegendLeft = 480, LegendHeight = 20;
    private const string TrainingColour = "#2f6fde", HeldOutColour = "#d0631d";

    /// <summary>Draws the points; the file appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="points">At least one.</param>
    public static void Save(string path, IReadOnlyList<LossPoint> points) => WholeFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Draw(points))));

    public static string Draw(IReadOnlyList<LossPoint> points)
    {
        double stepTick = RoundTick(points[^1].Step), lossTick = RoundTick(points.Max(point => Math.Max(point.Training, point.HeldOut)));
        double lastStep = points[^1].Step, highest = Math.Ceiling(points.Max(point => Math.Max(point.Training, point.HeldOut)) / lossTick) * lossTick;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" font-family=\"system-ui, DejaVu Sans, sans-serif\" font-size=\"13\" fill=\"#333\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/>\n");
        for (double loss = 0; loss <= highest + lossTick / 2; loss += lossTick)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Y(loss):0.#}H{Width - Right}\" stroke=\"#ddd\"/>");
            Label(svg, Left - 8, Y(loss) + 4, "end", Number(loss, lossTick));
        }
        for (double step = 0; step <= lastStep + stepTick / 1000; step += stepTick)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{X(step):0.#} {Height - Bottom}v5\" stroke=\"#888\"/>");
            Label(svg, X(step), Height - Bottom + 20, "middle", Number(step, stepTick));
        }
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\" fill=\"none\" stroke=\"#888\"/>\n");
        Label(svg, (Left + Width - Right) / 2, Height - 12, "middle", "training steps");
        Label(svg, Left - 44, Top - 18, "start", "bits per character");
        Line(svg, TrainingColour, points.Select(point => (X(point.Step), Y(point.Training))));
        Line(svg, HeldOutColour, points.Select(point => (X(point.Step), Y(point.HeldOut))));
        Legend(svg, LegendHeight, TrainingColour, Inv($"training text, {points[^1].Training:0.000} at the end"));
        Legend(svg, 2 * LegendHeight, HeldOutColour, Inv($"held-out text, {points[^1].HeldOut:0.000} at the end"));
        return svg.Append("</svg>\n").ToString();

        double X(double step) => Left + (Width - Left - Right) * step / lastStep;
        double Y(double loss) => Height - Bottom - (Height - Top - Bottom) * loss / highest;
    }

    /// <summary>The distance of some six ticks up to <paramref name="largest"/>: 1, 2 or 5 times a power of ten.</summary>
    public static double RoundTick(double largest)
    {
        double wanted = largest / WantedTicks, power = Math.Pow(10, Math.Floor(Math.Log10(wanted)));
        double[] round = [1, 2, 5, 10];
        return power * round.First(factor => factor * power >= wanted * (1 - 1e-9));
    }

    private static void Line(StringBuilder svg, string colour, IEnumerable<(double X, double Y)> points)
    {
        string corners = string.Join(' ', points.Select(point => Inv($"{point.X:0.#},{point.Y:0.#}")));
        svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{corners}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n");
    }

    private static void Legend(StringBuilder svg, int baseline, string colour, string text)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{LegendLeft} {baseline - 4}h{LineLength}\" stroke=\"{colour}\" stroke-width=\"3\"/>");
        Label(svg, LegendLeft + LineLength + 6, baseline, "start", text);
    }

    private static void Label(StringBuilder svg, double x, double y, string anchor, string text) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{text}</text>\n");

    private static string Number(double value, double tick) => value.ToString($"F{Math.Max(0, (int)-Math.Floor(Math.Log10(tick) + 1e-9))}", CultureInfo.InvariantCulture);

    private static string Inv(FormattableString text) => FormattableString.Invariant(text);
}
