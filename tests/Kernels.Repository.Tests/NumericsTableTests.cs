using System.Text.RegularExpressions;

namespace Kernels.Repository.Tests;

/// <summary>Every line of the table "What goes wrong elsewhere, and here" in docs/numerics.md names a test class, a test, or both, that exist.</summary>
public sealed partial class NumericsTableTests
{
    private static readonly string s_sources = string.Join('\n', Repository.Files("tests", "*.cs").Select(File.ReadAllText));

    public static TheoryData<string> Lines => [.. Repository.Read("docs/numerics.md").Split('\n')
        .SkipWhile(line => line != "| what goes wrong elsewhere | here | test |").Skip(2).TakeWhile(line => line.StartsWith('|'))];

    [Theory]
    [MemberData(nameof(Lines))]
    public void EveryLineIsATest(string line)
    {
        string[] names = TestName().Match(line).Groups[1].Value.Split('.');
        Assert.All(names, name => Assert.Matches($@"\b(class|void|Task) {name}\b", s_sources));
    }

    [GeneratedRegex(@"\| `(\w+(?:\.\w+)?)` \|$")]
    private static partial Regex TestName();
}
