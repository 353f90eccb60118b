using System.Text.Json;
using System.Text.Json.Serialization;
using CharRnn;

namespace Kernels.Perf;

/// <summary>One JSON object a line, always with the same keys. A number that was not measured, or is not finite, is null.</summary>
internal record JsonLine(
    [property: JsonPropertyName("family")] string Family,
    [property: JsonPropertyName("identity")] string Identity,
    [property: JsonPropertyName("workload")] string Workload,
    [property: JsonPropertyName("threads")] int? Threads,
    [property: JsonPropertyName("msMedian")] double? MsMedian,
    [property: JsonPropertyName("msMin")] double? MsMin,
    [property: JsonPropertyName("rate")] double? Rate,
    [property: JsonPropertyName("unit")] string Unit,
    [property: JsonPropertyName("roofPercent")] double? RoofPercent,
    [property: JsonPropertyName("error")] double? Error)
{
    /// <summary>Milliseconds of one call in each round, in order; rows of one workload have the same rounds.</summary>
    [JsonPropertyName("msSamples")]
    public IReadOnlyList<double>? MsSamples { get; init; }

    /// <summary>How many times faster our default variant is: the median over the rounds of the ratio of the samples.</summary>
    [JsonPropertyName("ratio")]
    public double? Ratio { get; init; }

    /// <summary>The ends of the ratio's 95 % interval.</summary>
    [JsonPropertyName("ratioLow")]
    public double? RatioLow { get; init; }

    [JsonPropertyName("ratioHigh")]
    public double? RatioHigh { get; init; }

    /// <summary>How many cores the threads had.</summary>
    [JsonPropertyName("cores")]
    public double? Cores { get; init; }

    private static readonly JsonSerializerOptions s_options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The line of a measurement.</summary>
    public static JsonLine Of(ResultRow row, Report report)
    {
        PairedRatio? ratio = report.Advantage(row)?.Ratio;
        return new(row.Family, row.Identity, row.Workload, row.Threads, Finite(row.MsMedian), Finite(row.MsMin), Finite(row.Rate), row.Unit,
            Finite(row.RoofPercent), Finite(row.Error))
        {
            MsSamples = [.. row.Timing.Samples.Select(seconds => seconds * 1e3)],
            Ratio = Finite(ratio?.Median),
            RatioLow = Finite(ratio?.Low),
            RatioHigh = Finite(ratio?.High),
            Cores = Finite(row.Cores),
        };
    }

    /// <summary>The line of a fact that is not a measurement: the workload says it, and the numbers are null.</summary>
    public static JsonLine OfFact(string family, string identity, string fact) => new(family, identity, fact, null, null, null, null, "", null, null);

    public override string ToString() => JsonSerializer.Serialize(this, GetType(), s_options);

    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>The line of a form of the language model; its speed is that of reading.</summary>
internal sealed record ModelChainJsonLine(
    string Identity,
    double? Rate,
    [property: JsonPropertyName("bitsPerCharacter")] double? BitsPerCharacter,
    [property: JsonPropertyName("weightBytes")] long WeightBytes,
    [property: JsonPropertyName("charactersWrittenPerSecond")] double? CharactersWrittenPerSecond,
    [property: JsonPropertyName("sample")] string Sample)
    : JsonLine(ModelChain.Name, Identity, "held-out text", null, null, null, Rate, "characters/s", null, null)
{
    public static ModelChainJsonLine Of(WeightRow row) =>
        new(row.Name, Finite(row.CharactersReadPerSecond), Finite(row.BitsPerCharacter), row.ByteCount, Finite(row.CharactersWrittenPerSecond), row.Sample);

    public override string ToString() => base.ToString();
}
