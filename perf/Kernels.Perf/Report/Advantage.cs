using System.Globalization;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>
/// How many times faster our default variant is than a rival on one workload, and whether that may be said. In tables it is one cell, which is read back for
/// the digest.
/// </summary>
/// <param name="Ratio">The rival's time by ours.</param>
/// <param name="IsHeldBack">Whether the rival runs lesser instructions than its release has.</param>
internal readonly partial record struct Advantage(PairedRatio Ratio, bool IsHeldBack = false)
{
    private const string HeldBackMark = ", held back";

    /// <summary>A cell for rows whose threads had no cores of their own.</summary>
    public static string WithoutCores(double cores) => string.Create(CultureInfo.InvariantCulture, $"not valid: {cores:0.00} cores");

    /// <summary>What a cell says; null if it is one that says nothing about the ratio.</summary>
    public static Advantage? Parse(string cell)
    {
        if (Cell().Match(cell) is not { Success: true } match)
            return null;
        return new Advantage(new PairedRatio(Number("median"), Number("low"), Number("high")), match.Groups["mark"].Success);

        double Number(string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <summary><c>2.40 x (2.31 to 2.52)</c>, or why there is no such figure.</summary>
    public override string ToString() => Ratio.IsMeasurable
        ? $"{Digits(Ratio.Median)} x ({Digits(Ratio.Low)} to {Digits(Ratio.High)}){(IsHeldBack ? HeldBackMark : "")}"
        : double.IsInfinity(Ratio.High) ? "not measurable: too few rounds" : $"not measurable: {Digits(Ratio.Low)} to {Digits(Ratio.High)}";

    // Three digits.
    private static string Digits(double ratio) =>
        ratio.ToString(ratio < 0.1 ? "0.0000" : ratio < 1 ? "0.000" : ratio < 10 ? "0.00" : ratio < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<median>[\d.]+) x \((?<low>[\d.]+) to (?<high>[\d.]+)\)(?<mark>, held back)?$")]
    private static partial Regex Cell();
}
