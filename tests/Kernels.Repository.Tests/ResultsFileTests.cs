using Kernels.Perf;

namespace Kernels.Repository.Tests;

/// <summary>Results files: tables measured apart stand in one file, and the digest is what they say.</summary>
public sealed class ResultsFileTests
{
    private const string Older = "# a: ours and rivals\n\n- Machine: M\n\n## Roofs\n\nold roofs\n\n## first\n\n| rival/x | 1 | 2 ms | 3.00 x |\n\n## gone\n\nold gone\n\n## last\n\n| rival/x | 1 | 2 ms | 0.75 x |\n";

    [Fact]
    public void ATextIsKept() => Assert.Equal(Older, ResultsFile.Parse(Older).ToString());

    [Fact]
    public void OnlyMeasuredWorkloadsAreReplaced()
    {
        ResultsFile now = ResultsFile.Parse("# a: ours and rivals\n\n- Machine: M2\n\n## Roofs\n\nnew roofs\n\n## second\n\nnew second\n\n## first\n\nnew first\n");
        ResultsFile merged = now.Over(ResultsFile.Parse(Older), ["first", "second", "last"]);
        Assert.Equal("# a: ours and rivals\n\n- Machine: M2", merged.Head);
        Assert.Equal(
            [new("Roofs", "new roofs"), new("first", "new first"), new("second", "new second"), new ResultsSection("last", "| rival/x | 1 | 2 ms | 0.75 x |")],
            merged.Sections);
    }

    [Fact]
    public void TheDigestIsTheGeometricMean()
    {
        // sqrt(3 x 0.75) = 1.5
        string[] lines = Digest.Of([("a", Older)]).Split('\n');
        Assert.Equal("| a | rival/x | 2 | 1.50 x | 0.75 x | 3.00 x | last, threads 1 |", lines[^2]);
    }

    [Fact]
    public void AFilledPageHoldsTheTablesAskedFor()
    {
        const string Page = "before\n<!-- figures from perf/results/m/a.md: fir*; last -->\nstale\n<!-- end of figures -->\nafter\n";
        Assert.Equal(
            "before\n<!-- figures from perf/results/m/a.md: fir*; last -->\n- Machine: M\n\n**first**\n\n| rival/x | 1 | 2 ms | 3.00 x |\n\n**last**\n\n| rival/x | 1 | 2 ms | 0.75 x |\n<!-- end of figures -->\nafter\n",
            PageFigures.Fill(Page, file => file == "perf/results/m/a.md" ? Older : throw new FileNotFoundException(file)));
    }

    public static TheoryData<string> Machines => [.. Directory.GetDirectories(Path.Combine(Repository.Root, "perf", "results")).Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Machines))]
    public void EveryDigestIsThatOfTheFilesBesideIt(string machine)
    {
        string folder = Path.Combine(Repository.Root, "perf", "results", machine);
        string digest = File.ReadAllText(Path.Combine(folder, "digest.md")).ReplaceLineEndings("\n");
        string[] families = [.. KernelInfo.Catalogue.Select(dispatch => dispatch.Chosen.Family).Distinct()];
        string expected = Digest.Of(
            from family in families
            let file = Path.Combine(folder, $"{family}.md")
            where File.Exists(file)
            select (family, File.ReadAllText(file)));
        Assert.Equal(Rows(expected), Rows(digest));

        // In any order of families.
        static string[] Rows(string text) => [.. text.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}
