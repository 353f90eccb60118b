using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>
/// All families' results on one machine in one table: how many times faster ours is than each rival with as many threads, over the workloads both solve.
/// </summary>
internal static partial class Digest
{
    private const string Nothing = "–";

    private sealed record Duel(string Rival, int Threads, string Workload, Advantage? Outcome);

    /// <summary>The digest of results files.</summary>
    /// <param name="files">Families' words and texts of their files.</param>
    public static string Of(IEnumerable<(string Family, string Text)> files)
    {
        var text = new StringBuilder("""
            # Ours beside each rival

            Made by `compare --save` from the files beside this one: how many times faster our default variant is than each rival on the same workload with as many threads, with 95 % intervals
            (docs/benchmarking.md). Above 1 ours is faster. Measured: how many of the comparisons had an interval narrower than a factor of 1.5 and, with more than one thread, cores for it.

            | family | rival | threads | measured | geometric mean | least | where | most | commit |
            |---|---|--:|--:|--:|--:|---|--:|---|

            """.ReplaceLineEndings("\n"));
        foreach ((string family, string results) in files)
        {
            ResultsFile file = ResultsFile.Parse(results);
            foreach (IGrouping<(string, int), Duel> rival in Duels(file).GroupBy(duel => (duel.Rival, duel.Threads)))
                text.Append(Row(family, rival.Key, [.. rival], file.Commit));
        }
        return text.ToString();
    }

    private static string Row(string family, (string Name, int Threads) rival, Duel[] duels, string commit)
    {
        Duel[] told = [.. duels.Where(duel => duel.Outcome is not null).OrderBy(duel => duel.Outcome!.Value.Ratio.Median)];
        string head = string.Create(CultureInfo.InvariantCulture, $"| {family} | {rival.Name} | {rival.Threads} | {told.Length} of {duels.Length} |");
        return told.Length == 0
            ? $"{head} {Nothing} | {Nothing} | {Nothing} | {Nothing} | {commit} |\n"
            : $"{head} {Mean(told)} | {told[0].Outcome} | {told[0].Workload} | {told[^1].Outcome} | {commit} |\n";
    }

    // The ratios are each well known; so is their mean.
    private static string Mean(Duel[] told) => told.Any(duel => duel.Outcome!.Value.IsHeldBack)
        ? "none: held back"
        : new Advantage(PairedRatio.GeometricMean([.. told.Select(duel => duel.Outcome!.Value.Ratio)])).ToString();

    private static IEnumerable<Duel> Duels(ResultsFile file) =>
        from section in file.Sections
        from Match row in RivalRow().Matches(section.Body)
        select new Duel(row.Groups["rival"].Value, int.Parse(row.Groups["threads"].Value, CultureInfo.InvariantCulture), section.Title,
            Advantage.Parse(row.Groups["outcome"].Value));

    // | rival/name | threads | ... | outcome |
    [GeneratedRegex(@"^\| (?<rival>rival/[^|]+) \| (?<threads>\d+) \|.*\| (?<outcome>[^| ][^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex RivalRow();
}
