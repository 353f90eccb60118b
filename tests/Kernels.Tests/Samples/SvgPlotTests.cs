using System.Globalization;
using System.Xml.Linq;
using Plots;

namespace Kernels.Tests;

/// <summary>Plots of the samples: axes with round numbers that hold all values, labels that do not hide each other.</summary>
public sealed class SvgPlotTests
{
    [Theory]
    [InlineData(new[] { 3.2, 3.9 }, new[] { 3.2, 3.4, 3.6, 3.8, 4 })]
    [InlineData(new[] { 0.0, 97.0 }, new[] { 0.0, 20, 40, 60, 80, 100 })]
    [InlineData(new[] { 5.0 }, new[] { 5.0, 6 })]
    [InlineData(new[] { 30.0, 700 }, new[] { 20.0, 50, 100, 200, 500, 1000 })]
    [InlineData(new[] { -3.0, 3 }, new[] { -4.0, -2, 0, 2, 4 })]
    public void TicksAreRoundAndHoldAllValues(double[] values, double[] ticks)
    {
        PlotAxis axis = PlotAxis.Covering("", values);
        Assert.Equal(ticks.Length, axis.Ticks.Count);
        for (int i = 0; i < ticks.Length; i++)
            Assert.Equal(ticks[i], axis.Ticks[i], 1e-9);
        Assert.All(values, value => Assert.InRange(axis.Place(value), 0, 1));
        Assert.Equal((0.0, 1.0), (axis.Place(axis.Ticks[0]), axis.Place(axis.Ticks[^1])));
    }

    [Fact]
    public void LabelsOfNeighboursKeepApart()
    {
        const double lineHeight = 15, letterWidth = 6.6;
        PlotPoint[] points = [.. Enumerable.Range(0, 12).Select(i => new PlotPoint(100 + i % 3, 2 + 0.001 * i, $"way <{i}> & more"))];
        var plot = new SvgPlot("title", PlotAxis.Covering("x", [0, .. points.Select(point => point.X)]),
            PlotAxis.Covering("y", [1.0, .. points.Select(point => point.Y)]));
        plot.AddPoints(points);
        XElement[] all = [.. XDocument.Parse(plot.ToString()).Descendants()];
        Assert.Equal(points.Length, all.Count(element => element.Name.LocalName == "circle"));
        (double X, double Y)[] labels = [.. points.Select(point => all.Single(element => element.Value == point.Label))
            .Select(label => (Number(label, "x"), Number(label, "y")))];
        for (int i = 0; i < labels.Length; i++)
        {
            for (int j = 0; j < i; j++)
                Assert.True(Math.Abs(labels[i].Y - labels[j].Y) > lineHeight - 1 || Math.Abs(labels[i].X - labels[j].X) > points[i].Label.Length * letterWidth
                    - 1, $"labels {i} and {j} overlap");
        }
    }

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);
}
