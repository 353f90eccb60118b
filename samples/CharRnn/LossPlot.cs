using System.Globalization;
using System.Text;
using Kernels.Core.Tensors;
using Plots;

namespace CharRnn;

/// <summary>The losses of a run over its steps as an SVG file.</summary>
internal static class LossPlot
{
    private const string TrainingColour = "#2f6fde", HeldOutColour = "#d0631d";

    /// <summary>Draws the points; the file appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="points">At least one.</param>
    public static void Save(string path, IReadOnlyList<LossPoint> points)
    {
        using var file = new AtomicFile(path);
        RandomAccess.Write(file.Handle, Encoding.UTF8.GetBytes(Draw(points)), 0);
        file.Commit();
    }

    public static string Draw(IReadOnlyList<LossPoint> points)
    {
        // Both axes begin at zero.
        PlotAxis steps = PlotAxis.Covering("training steps", points.Select(point => (double)point.Step).Prepend(0));
        PlotAxis losses = PlotAxis.Covering("bits per character", points.SelectMany(point => new[] { point.Training, point.HeldOut }).Prepend(0));
        var plot = new SvgPlot("Loss", steps, losses);
        plot.AddLine([.. points.Select(point => (point.Step, point.Training))], TrainingColour,
            string.Create(CultureInfo.InvariantCulture, $"training text, {points[^1].Training:0.000} at the end"));
        plot.AddLine([.. points.Select(point => (point.Step, point.HeldOut))], HeldOutColour,
            string.Create(CultureInfo.InvariantCulture, $"held-out text, {points[^1].HeldOut:0.000} at the end"));
        return plot.ToString();
    }
}
