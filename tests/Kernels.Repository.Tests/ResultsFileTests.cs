using Kernels.Perf;

namespace Kernels.Repository.Tests;

/// <summary>Results files: tables measured apart stand in one file, and the digest is what they say.</summary>
public sealed class ResultsFileTests
{
    private const string Measured = "- Measured: 2026-11-30 23:59 UTC, Debian, .NET 10, X64; Kernels 0.1.0+0123456789abcdef\n\n";

    private const string Older = "# a: ours and rivals\n\n- Machine: M\n\n## Roofs\n\n" + Measured + "old roofs\n\n## first\n\n" + Measured
        + "| rival/x | 1 | 2 ms | 3.00 x (2.90 to 3.10) |\n\n## gone\n\n"
        + Measured + "old gone\n\n## last\n\n" + Measured + "| rival/x | 1 | 2 ms | 0.750 x (0.700 to 0.800) |\n";

    [Fact]
    public void ATextIsKept() => Assert.Equal(Older, ResultsFile.Parse(Older).ToString());

    [Fact]
    public void OnlyMeasuredWorkloadsAreReplaced()
    {
        ResultsFile now = ResultsFile.Parse(
            $"# a: ours and rivals\n\n- Machine: M2\n\n## Roofs\n\n{Measured}new roofs\n\n## second\n\n{Measured}new second\n\n## first\n\n{Measured}new " +
            $"first\n");
        ResultsFile merged = now.Over(ResultsFile.Parse(Older), ["first", "second", "last"]);
        Assert.Equal("# a: ours and rivals\n\n- Machine: M2", merged.Head);
        Assert.Equal(
            [("Roofs", "new roofs"), ("first", "new first"), ("second", "new second"), ("last", "| rival/x | 1 | 2 ms | 0.750 x (0.700 to 0.800) |")],
            merged.Sections.Select(section => (section.Title, section.Body[Measured.Length..])));
    }

    [Fact]
    public void TablesOfAnotherCommitAreNotKept()
    {
        string other = Older.Replace("0123456789abcdef", "fedcba9876543210", StringComparison.Ordinal);
        ResultsFile now = ResultsFile.Parse($"# a\n\n## first\n\n{Measured}new first\n");
        Assert.Equal("0123456", now.Commit);
        Assert.Equal(["first"], now.Over(ResultsFile.Parse(other), ["first", "last"]).Sections.Select(section => section.Title));
    }

    private static string[] DigestOf(params string[] rows) =>
        Digest.Of([("a", "# a\n\n" + string.Concat(rows.Select((row, i) => $"## w{i}\n\n{Measured}{row}\n\n")))])
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)[5..];

    [Fact]
    public void TheDigestIsTheGeometricMeanWithItsInterval()
    {
        // sqrt(4 x 1) = 2; half widths of e^0.3 and e^0.4 make e^0.25: 2 x 0.7788 to 2 x 1.284.
        string row = Assert.Single(DigestOf("| rival/x | 1 | 2 ms | 4.00 x (2.9633 to 5.3994) |", "| rival/x | 1 | 2 ms | 1.00 x (0.67032 to 1.49182) |"));
        Assert.StartsWith("| a | rival/x | 1 | 2 of 2 | not measurable: 1.56 to 2.57 | 1.00 x",
            row.Replace("not measurable: 0.670 to 1.49", "1.00 x", StringComparison.Ordinal), StringComparison.Ordinal);
        // sqrt(3 x 0.75) = 1.5, with intervals of a third of a tenth
        row = Assert.Single(DigestOf("| rival/x | 1 | 2 ms | 3.00 x (2.90 to 3.10) |", "| rival/x | 1 | 2 ms | 0.750 x (0.725 to 0.775) |"));
        Assert.Equal("| a | rival/x | 1 | 2 of 2 | 1.50 x (1.46 to 1.54) | 0.750 x (0.725 to 0.775) | w1 | 3.00 x (2.90 to 3.10) | 0123456 |", row);
    }

    [Fact]
    public void OneThreadAndTwoAreNeverInOneMean() => Assert.Equal(
        [
            "| a | rival/x | 1 | 1 of 1 | 3.00 x (2.90 to 3.10) | 3.00 x (2.90 to 3.10) | w0 | 3.00 x (2.90 to 3.10) | 0123456 |",
            "| a | rival/x | 2 | 1 of 1 | 1.00 x (0.900 to 1.10) | 1.00 x (0.900 to 1.10) | w1 | 1.00 x (0.900 to 1.10) | 0123456 |",
        ],
        DigestOf("| rival/x | 1 | 2 ms | 3.00 x (2.90 to 3.10) |", "| rival/x | 2 | 2 ms | 1.00 x (0.900 to 1.10) |"));

    [Fact]
    public void WhatCannotBeToldIsCountedAndLeftOut() => Assert.Equal(
        [
            "| a | rival/x | 2 | 1 of 3 | 2.00 x (1.90 to 2.10) | 2.00 x (1.90 to 2.10) | w2 | 2.00 x (1.90 to 2.10) | 0123456 |",
            "| a | rival/y | 2 | 0 of 1 | – | – | – | – | 0123456 |",
        ],
        DigestOf("| rival/x | 2 | 2 ms | not measurable: 1.00 to 9.00 |\n| rival/y | 2 | 2 ms | not valid: 1.10 cores |",
            "| rival/x | 2 | 2 ms | not valid: 1.10 cores |", "| rival/x | 2 | 2 ms | 2.00 x (1.90 to 2.10) |"));

    [Fact]
    public void ARivalThatIsHeldBackHasNoMean() => Assert.Equal(
        "| a | rival/x | 1 | 1 of 1 | none: held back | 3.00 x (2.90 to 3.10), held back | w0 | 3.00 x (2.90 to 3.10), held back | 0123456 |",
        Assert.Single(DigestOf("| rival/x | 1 | 2 ms | 3.00 x (2.90 to 3.10), held back |")));

    [Theory]
    [InlineData("", "")]
    [InlineData("rival/x has no row of ours beside it", "")]
    [InlineData("3.00 x", "")]
    [InlineData("3.00 x (2.90 to 3.10)", "3.00 x (2.90 to 3.10)")]
    [InlineData("120 x (110 to 130), held back", "120 x (110 to 130), held back")]
    public void OnlyARatioWithItsIntervalIsRead(string cell, string read) => Assert.Equal(read, $"{Advantage.Parse(cell)}");

    [Fact]
    public void AWideIntervalIsPrintedAsNotMeasurable()
    {
        Assert.Equal("not measurable: 1.00 to 1.60", new Advantage(new PairedRatio(1.2, 1, 1.6)).ToString());
        Assert.Equal("not measurable: too few rounds", new Advantage(PairedRatio.Of([1, 1], [1, 1])).ToString());
        Assert.Equal("not valid: 1.12 cores", Advantage.WithoutCores(1.12));
    }

    [Fact]
    public void AFilledPageHoldsTheTablesAskedFor()
    {
        const string Page = "before\n<!-- figures from perf/results/m/a.md: fir*; last -->\nstale\n<!-- end of figures -->\nafter\n";
        Assert.Equal(
            $"before\n<!-- figures from perf/results/m/a.md: fir*; last -->\n- Machine: M\n\n**first**\n\n{Measured}| rival/x | 1 | 2 ms | 3.00 x (2.90 to " +
            $"3.10) |\n\n**last**\n\n{Measured}| rival/x | 1 | 2 ms | 0.750 x (0.700 to 0.800) |\n<!-- end of figures -->\nafter\n",
            PageFigures.Fill(Page, file => file == "perf/results/m/a.md" ? Older : throw new FileNotFoundException(file)));
    }

    [Theory]
    [InlineData("<!-- figures from perf/results/m/none.md -->")]
    [InlineData("<!-- figures from perf/results/m/a.md: second -->")]
    public void ABlockWithoutResultsSaysSo(string mark) =>
        Assert.StartsWith($"{mark}\nNot measured yet", PageFigures.Fill($"{mark}\nstale | 3.00 x |\n<!-- end of figures -->\n", file =>
        file == "perf/results/m/a.md" ? Older : null), StringComparison.Ordinal);

    // Families' files by machine; none before the first measurement.
    private static IEnumerable<IGrouping<string, string>> Results =>
        Directory.Exists(Path.Combine(Repository.Root, "perf", "results")) ? Repository.Files("perf/results", "*.md")
        .GroupBy(file => Path.GetDirectoryName(file)!) : [];

    [Fact]
    public void EveryDigestIsThatOfTheFilesBesideIt()
    {
        string[] families = [.. KernelInfo.Catalogue.Select(dispatch => dispatch.Chosen.Family).Distinct()];
        foreach (string folder in Results.Select(machine => machine.Key))
        {
            string digest = File.ReadAllText(Path.Combine(folder, "digest.md")).ReplaceLineEndings("\n");
            string expected = Digest.Of(
                from family in families
                let file = Path.Combine(folder, $"{family}.md")
                where File.Exists(file)
                select (family, File.ReadAllText(file)));
            Assert.Equal(Rows(expected), Rows(digest));
        }

        // In any order of families.
        static string[] Rows(string text) => [.. text.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void EveryResultsFileIsOfOneCommitAndEveryRatioHasAnInterval()
    {
        foreach (string path in Results.SelectMany(machine => machine).Where(path => Path.GetFileName(path) != "digest.md"))
        {
            ResultsFile file = ResultsFile.Parse(File.ReadAllText(path));
            Assert.Matches("^[0-9a-f]{7}$", Assert.Single(file.Sections.Select(section => section.Commit).Distinct()));
            foreach (string row in file.Sections.SelectMany(section => section.Body.Split('\n'))
                .Where(line => line.StartsWith("| rival/", StringComparison.Ordinal)))
            {
                string cell = row.Split('|')[^2].Trim();
                Assert.True(cell.Length == 0 || cell.StartsWith("not ", StringComparison.Ordinal) || Advantage.Parse(cell) is { Ratio.IsMeasurable: true },
                    row);
            }
        }
    }
}
