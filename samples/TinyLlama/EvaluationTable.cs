using System.Globalization;
using Plots;

namespace TinyLlama;

/// <summary>How several ways of running a model know a text: a line of a table for each, and a plot of perplexity against speed.</summary>
internal sealed class EvaluationTable
{
    private readonly List<(LlamaOptions Options, EvaluationResult Result)> _rows = [];

    public static string Heading => $"{"weights",-12} {"attention",-12} {"kv",-5} {"activations",-11} {"perplexity",11} {"tokens/s",9} {"bytes/token",12}";

    public static string Line(in LlamaOptions options, in EvaluationResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Spellings.Weights.NameOf(options.Weights),-12} {Spellings.Attention.NameOf(options.Attention),-12} " +
            $"{Spellings.KeyValues.NameOf(options.KeyValues),-5} {Activations(options),-11} {result.Perplexity,11:F4} {result.TokensPerSecond,9:F0} " +
            $"{result.BytesPerToken,12}");

    public void Add(LlamaOptions options, EvaluationResult result) => _rows.Add((options, result));

    /// <summary>Perplexity over speed, as SVG; a label says in what a point differs from others.</summary>
    public string Plot()
    {
        PlotPoint[] points = [.. _rows.Select(row => new PlotPoint(row.Result.TokensPerSecond, row.Result.Perplexity, Label(row.Options)))];
        var plot = new SvgPlot("Perplexity against speed (lower right is better)", PlotAxis.Covering("tokens a second", points.Select(point => point.X)),
            PlotAxis.Covering("perplexity", points.Select(point => point.Y)));
        plot.AddPoints(points);
        return plot.ToString();
    }

    // Only four bits leave a choice.
    private static string Activations(in LlamaOptions options) => options.Weights is WeightKind.F32 ? "f32" : options.Weights is WeightKind.Int8 ? "int8"
        : Spellings.Activations.NameOf(options.Arithmetic);

    private string Label(LlamaOptions options)
    {
        string[] parts =
        [
            .. Differing(Spellings.Weights, row => row.Weights), .. Differing(Spellings.Attention, row => row.Attention),
                .. Differing(Spellings.KeyValues, row => row.KeyValues),
            .. Differing(Spellings.Activations, row => row.Arithmetic),
        ];
        return parts.Length == 0 ? Spellings.Weights.NameOf(options.Weights) : string.Join(' ', parts);

        IEnumerable<string> Differing<T>(Spellings<T> spellings, Func<LlamaOptions, T> part) where T : notnull =>
            _rows.Select(row => part(row.Options)).Distinct().Count() > 1 ? [spellings.NameOf(part(options))] : [];
    }
}
