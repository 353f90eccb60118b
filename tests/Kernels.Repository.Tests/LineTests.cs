namespace Kernels.Repository.Tests;

/// <summary>Sources are read side by side, in two windows: lines end at column 160.</summary>
public sealed class LineTests
{
    private const int Columns = 160;

    private static readonly string[] s_folders = ["kernels", "Managed", "Interop", "native", "tests", "perf", "samples"];

    [Fact]
    public void LinesEndAtColumn160()
    {
        IEnumerable<string> files = s_folders.SelectMany(folder => new[] { "*.cs", "*.cpp", "*.h" }.SelectMany(pattern => Repository.Files(folder, pattern)));
        string[] faults = [.. files.SelectMany(TooWide)];
        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults));
    }

    // Raw and verbatim strings say what a file or a pattern is, to the byte: they cannot be cut.
    private static IEnumerable<string> TooWide(string file)
    {
        const string raw = "\"\"\"", verbatim = "@\"";
        bool isInRaw = false;
        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            bool endsRaw = isInRaw;
            if (line.Split(raw).Length % 2 == 0)
                isInRaw = !isInRaw;
            bool holdsString = endsRaw || isInRaw || line.Contains(raw, StringComparison.Ordinal) || line.Contains(verbatim, StringComparison.Ordinal);
            if (line.Length > Columns && !holdsString)
                yield return $"{Path.GetRelativePath(Repository.Root, file)}({number}): {line.Length} columns";
        }
    }
}
