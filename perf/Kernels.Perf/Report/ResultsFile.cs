using System.Text;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>The table of one workload in a results file.</summary>
/// <param name="Title">The workload, or <see cref="ResultsFile.RoofsTitle"/>.</param>
/// <param name="Body">When it was measured, and the table.</param>
internal sealed partial record ResultsSection(string Title, string Body)
{
    // The first digits of a commit's name, as git abbreviates it.
    private const int CommitDigits = 7;

    /// <summary>The commit that was measured; empty if the section does not say.</summary>
    public string Commit => Build().Match(Body).Groups["commit"].Value is var commit && commit.Length > CommitDigits ? commit[..CommitDigits] : commit;

    // - Measured: ..., Kernels 0.1.0+commit
    [GeneratedRegex(@"^- Measured: .*\+(?<commit>[0-9a-f]+)", RegexOptions.Multiline)]
    private static partial Regex Build();
}

/// <summary>A results file: a head, and a section for each workload, which may stem from runs of their own.</summary>
internal sealed record ResultsFile(string Head, IReadOnlyList<ResultsSection> Sections)
{
    public const string RoofsTitle = "Roofs";

    private const string SectionMark = "\n## ";

    /// <summary>The commit that all of it was measured at.</summary>
    public string Commit => Sections.Count == 0 ? "" : Sections[0].Commit;

    public static ResultsFile Parse(string text)
    {
        string[] parts = text.ReplaceLineEndings("\n").Split(SectionMark);
        return new(parts[0].Trim(), [.. parts[1..].Select(Section)]);
    }

    private static ResultsSection Section(string part)
    {
        string[] halves = part.Split('\n', 2);
        return new(halves[0], halves.Length > 1 ? halves[1].Trim() : "");
    }

    /// <summary>
    /// This file, with the sections of an older one for workloads that still exist and were not measured now, at the same commit: a file never mixes two.
    /// </summary>
    /// <param name="older">What was there before.</param>
    /// <param name="titles">All workloads there are, in the order of the file.</param>
    public ResultsFile Over(ResultsFile older, IReadOnlyList<string> titles)
    {
        var kept = older.Sections.Where(section => section.Commit == Commit && titles.Contains(section.Title)
            && Sections.All(own => own.Title != section.Title));
        return this with { Sections = [.. Sections.Concat(kept).OrderBy(section => Place(section.Title, titles))] };
    }

    private static int Place(string title, IReadOnlyList<string> titles)
    {
        for (int i = 0; i < titles.Count; i++)
        {
            if (titles[i] == title)
                return i;
        }
        return RoofsTitle == title ? -1 : titles.Count;
    }

    public override string ToString()
    {
        var text = new StringBuilder(Head).Append('\n');
        foreach (ResultsSection section in Sections)
            text.Append(SectionMark).Append(section.Title).Append("\n\n").Append(section.Body).Append('\n');
        return text.ToString();
    }
}
