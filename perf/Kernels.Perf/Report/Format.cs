using System.Globalization;
using CharRnn;

namespace Kernels.Perf;

/// <summary>How numbers look in tables, pages and files.</summary>
internal static class Format
{
    public static string Milliseconds(double ms) =>
        ms.ToString(ms < 0.01 ? "0.00000" : ms < 1 ? "0.0000" : ms < 100 ? "0.00" : "0", CultureInfo.InvariantCulture);

    public static string Rate(ResultRow row) => string.Create(CultureInfo.InvariantCulture, $"{Number(row.Rate)} {row.Unit}");

    /// <summary>One digit after the point, or more where the number is small.</summary>
    public static string Number(double rate) => rate.ToString(rate >= 1 || rate == 0 ? "0.0" : rate >= 0.01 ? "0.000" : "0.0e+0", CultureInfo.InvariantCulture);

    public static string Percent(double percent) => string.Create(CultureInfo.InvariantCulture, $"{percent:0} %");

    /// <summary>The share of the roof that a row reached, or a dash where its threads had no cores for it.</summary>
    public static string OfRoof(ResultRow row) => row.HadItsCores ? Percent(row.RoofPercent) : "–";

    /// <summary>The error of a row, or a dash where there was nothing to compare with.</summary>
    public static string Error(ResultRow row) => row.SolvesTheSameProblem ? Error(row.Error) : "–";

    public static string Error(double error) => error == 0 ? "0" : error.ToString("0.0e+0", CultureInfo.InvariantCulture);

    public static string Bits(WeightRow row) => row.BitsPerCharacter.ToString("0.0000", CultureInfo.InvariantCulture);

    public static string Count(double count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A text in one line.</summary>
    public static string OneLine(string text) => string.Join(' ', text.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    public static string Bytes(long bytes) => bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : $"{bytes >> 10} KiB";
}
