using System.Globalization;

namespace Plots;

/// <summary>One axis: a range that begins and ends at round numbers, logarithmic where positive values span more than an order of magnitude.</summary>
internal sealed class PlotAxis
{
    private const double LogarithmicFrom = 12;
    private const int WantedSteps = 5;

    private readonly bool _isLogarithmic;

    private PlotAxis(string title, double[] ticks, bool isLogarithmic)
    {
        Title = title;
        Ticks = ticks;
        _isLogarithmic = isLogarithmic;
    }

    public string Title { get; }

    /// <summary>Round numbers, ascending; the first and the last are the ends.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis on which all values have a place.</summary>
    public static PlotAxis Covering(string title, IEnumerable<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite).DefaultIfEmpty(0)];
        double least = finite.Min(), largest = finite.Max();
        bool isLogarithmic = least > 0 && largest / least > LogarithmicFrom;
        return new(title, isLogarithmic ? LogarithmicTicks(least, largest) : LinearTicks(least, largest), isLogarithmic);
    }

    /// <summary>Where a value lies: 0 at the first tick, 1 at the last.</summary>
    public double Place(double value) =>
        _isLogarithmic ? Math.Log(value / Ticks[0]) / Math.Log(Ticks[^1] / Ticks[0]) : (value - Ticks[0]) / (Ticks[^1] - Ticks[0]);

    public static string Text(double tick) => tick.ToString(Math.Abs(tick) is >= 1e6 or (> 0 and < 1e-4) ? "0.##e0" : "0.######", CultureInfo.InvariantCulture);

    // Steps of 1, 2 or 5 times a power of ten, about five of them.
    private static double[] LinearTicks(double least, double largest)
    {
        double range = largest > least ? largest - least : Math.Max(Math.Abs(largest), 1), power = Math.Pow(10, Math.Floor(Math.Log10(range / WantedSteps)));
        double step = power * ((double[])[1, 2, 5, 10]).First(factor => factor * power * WantedSteps >= range);
        double first = Math.Floor(least / step), last = Math.Max(Math.Ceiling(largest / step), first + 1);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    private static double[] LogarithmicTicks(double least, double largest)
    {
        double[] all = [.. Enumerable.Range((int)Math.Floor(Math.Log10(least)), (int)Math.Ceiling(Math.Log10(largest / least)) + 2)
            .SelectMany(power => ((double[])[1, 2, 5]).Select(factor => factor * Math.Pow(10, power)))];
        return [.. all.Where((tick, i) => (i + 1 == all.Length || all[i + 1] > least) && (i == 0 || all[i - 1] < largest))];
    }
}
