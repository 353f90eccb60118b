using System.Globalization;
using System.Text;

namespace CharacterModel;

/// <summary>The loss over the steps as an SVG file.</summary>
internal static class LossPlot
{
    private const int Width = 640, Height = 320, Margin = 40;

    public static void Save(string path, IReadOnlyList<double> losses)
    {
        double top = losses.Max();
        var points = new StringBuilder();
        for (int i = 0; i < losses.Count; i++)
        {
            double x = Margin + (Width - 2.0 * Margin) * i / Math.Max(1, losses.Count - 1), y = Height - Margin - (Height - 2.0 * Margin) * losses[i] / top;
            points.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
        }
        File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" font-family="sans-serif" font-size="12">
            <polyline points="{points}" fill="none" stroke="#1f6feb"/>
            <text x="{Margin}" y="20">loss in nats a character: {losses[0]:0.00} at first, {losses[^1]:0.00} after {losses.Count} steps</text>
            <path d="M{Margin} {Margin}V{Height - Margin}H{Width - Margin}" fill="none" stroke="#888"/>
            </svg>
            """));
    }
}
