using System.Text.RegularExpressions;
using Kernels.Perf;

namespace Kernels.Repository.Tests;

/// <summary>The README says what is so: its examples compile and run, its coverage table is the catalogue.</summary>
public sealed class ReadmeTests
{
    private static string Readme => Repository.Read("README.md").ReplaceLineEndings("\n");

    private static string[] Examples =>
        [.. Regex.Matches(Readme, @"```csharp\n(.*?)```", RegexOptions.Singleline).Select(match => Compact(match.Groups[1].Value))];

    private static string Compact(string code) => Regex.Replace(code, @"\s+", " ").Trim();

    [Fact]
    public void EveryExampleIsOneThatIsRunHere()
    {
        // Any file of this project: a family's example may stand in one of its own.
        IEnumerable<string> sources = Repository.Files("tests/Kernels.Repository.Tests", "*Example*.cs").Select(File.ReadAllText);
        IEnumerable<string> run = sources.SelectMany(source =>
            Regex.Matches(source.ReplaceLineEndings("\n"), @"// README\s*\n(.*?)// end", RegexOptions.Singleline))
            .Select(match => Compact(match.Groups[1].Value));
        Assert.NotEmpty(Examples);
        Assert.Equal(Examples.Order(StringComparer.Ordinal), run.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void CoverageTableIsTheCatalogue()
    {
        var lines = new List<string> { "| operation | types | native | cpu |", "|---|---|---|---|" };
        foreach (IGrouping<(string Operation, string), KernelDispatch> row in KernelInfo.Catalogue.GroupBy(dispatch =>
            (dispatch.Operation, $"{Sets(dispatch, "native")}|{Sets(dispatch, "cpu")}")))
        {
            string types = string.Join(", ", row.Select(dispatch => dispatch.Chosen.Types));
            lines.Add($"| `{row.Key.Operation}` | {types} | {Sets(row.First(), "native")} | {Sets(row.First(), "cpu")} |");
        }
        string table = string.Join("\n", lines);
        Assert.True(Readme.Contains(table, StringComparison.Ordinal), "README.md should hold this table:\n" + table);
    }

    private static string Sets(KernelDispatch dispatch, string backend)
    {
        string[] sets = [.. dispatch.Variants.Where(variant => variant.Backend == backend).Select(variant => variant.Implementation)];
        return sets.Length == 0 ? "–" : string.Join(", ", sets);
    }

    public static TheoryData<string> Pages =>
        [.. Repository.Files("docs", "*.md").Select(file => Path.GetRelativePath(Repository.Root, file)).Append("README.md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryBlockOfFiguresIsItsResultsFile(string page)
    {
        // `figures` of perf/Kernels.Perf fills them.
        string text = Repository.Read(page).ReplaceLineEndings("\n");
        Assert.Equal(PageFigures.Fill(text, file => File.Exists(Path.Combine(Repository.Root, file)) ? Repository.Read(file) : null), text);
    }

    [Fact]
    public void FiguresStandOnTheReadmeAndOnEveryFamilysPage()
    {
        foreach (string page in Repository.Files("docs/families", "*.md").Select(file => Path.GetRelativePath(Repository.Root, file)).Append("README.md"))
            Assert.Matches(@"<!-- figures from perf/results/[^\n]+ -->\n(?!<!-- end)", Repository.Read(page).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void ItsCommandsAreTheOnesContinuousIntegrationRuns()
    {
        string script = Repository.Read(".ci/run");
        foreach (string command in new[] { "dotnet run -c Release --project perf/Kernels.Perf -- showcase", "dotnet test Kernels.sln -c Release" })
        {
            Assert.Contains(command, Readme, StringComparison.Ordinal);
            Assert.Contains(command, script, StringComparison.Ordinal);
        }
    }
}
