using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>All families' results on one machine in one table: how many times faster ours is than each rival, over the workloads both solve.</summary>
internal static partial class Digest
{
    private sealed record Duel(string Rival, string Workload, double Ratio);

    /// <summary>The digest of results files.</summary>
    /// <param name="files">Families' words and texts of their files.</param>
    public static string Of(IEnumerable<(string Family, string Text)> files)
    {
        var text = new StringBuilder("""
            # Ours beside each rival

            Made by `compare --save` from the files beside this one: our default variant against each rival, same workload, same number of threads. Above 1 ours is faster.

            | family | rival | measurements | geometric mean | least | most | where it is least |
            |---|---|--:|--:|--:|--:|---|

            """.ReplaceLineEndings("\n"));
        foreach ((string family, string results) in files)
        {
            foreach (IGrouping<string, Duel> rival in Duels(ResultsFile.Parse(results)).GroupBy(duel => duel.Rival))
                text.Append(Row(family, rival.Key, [.. rival]));
        }
        return text.ToString();
    }

    private static string Row(string family, string rival, Duel[] duels)
    {
        double mean = Math.Exp(duels.Average(duel => Math.Log(duel.Ratio)));
        Duel least = duels.MinBy(duel => duel.Ratio)!, most = duels.MaxBy(duel => duel.Ratio)!;
        return string.Create(CultureInfo.InvariantCulture, $"| {family} | {rival} | {duels.Length} | {Times(mean)} | {Times(least.Ratio)} | {Times(most.Ratio)} | {least.Workload} |\n");
    }

    private static string Times(double ratio) => ratio.ToString(ratio < 10 ? "0.00" : "0", CultureInfo.InvariantCulture) + " x";

    private static IEnumerable<Duel> Duels(ResultsFile file) =>
        from section in file.Sections
        from Match row in RivalRow().Matches(section.Body)
        select new Duel(row.Groups["rival"].Value, $"{section.Title}, threads {row.Groups["threads"].Value}", double.Parse(row.Groups["ratio"].Value, CultureInfo.InvariantCulture));

    // | rival/name | threads | ... | ratio x |
    [GeneratedRegex(@"^\| (?<rival>rival/[^|]+) \| (?<threads>\d+) \|.*\| (?<ratio>[\d.]+) x \|$", RegexOptions.Multiline)]
    private static partial Regex RivalRow();
}
