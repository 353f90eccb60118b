using System.Text.Json;
using BleuReward;
using GraphTriangles;

namespace Kernels.Tests;

/// <summary>Whatever GraphTriangles and BleuReward are given: an answer, or one line that says what is wrong and exit code 1.</summary>
public sealed class SampleRefusalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string File(string text)
    {
        string path = _folder.File("input");
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static string Triangles(string path, int expected = 0)
    {
        using StringWriter output = new(), errors = new();
        Assert.Equal(expected, GraphCommand.Run([path], output, errors, default));
        return OneSide(output, errors, expected);
    }

    private static string Bleu(string[] arguments, string input = "", int expected = 0)
    {
        using StringWriter output = new(), errors = new();
        using var reader = new StringReader(input);
        Assert.Equal(expected, BleuCommand.Run(arguments, reader, output, errors, default));
        return OneSide(output, errors, expected);
    }

    private static string OneSide(StringWriter output, StringWriter errors, int code)
    {
        if (code == 0)
        {
            Assert.Equal("", errors.ToString());
            return output.ToString();
        }
        string message = errors.ToString();
        Assert.Single(message.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return message;
    }

    [Fact]
    public void GraphsWithoutVerticesAndOfAnyFieldAreMeasured()
    {
        Assert.Equal("0 vertices, 0 edges, 0 triangles, clustering 0.0000", Triangles(File("%%MatrixMarket matrix coordinate pattern general\n0 0 0\n"))
            .Trim());
        string complex = Triangles(File("%%MatrixMarket matrix coordinate complex symmetric\n3 3 3\n2 1 0 1\n3 1 1 0\n3 2 -1 2\n"));
        Assert.StartsWith("3 vertices, 3 edges, 1 triangles, clustering 1.0000", complex, StringComparison.Ordinal);
        Assert.StartsWith("3 vertices, 3 edges, 1 triangles",
            Triangles(File("%%MatrixMarket matrix coordinate pattern general\n3 3 3\n% one direction each\n1 2\n2 3\n3 1\n")), StringComparison.Ordinal);
    }

    [Fact]
    public void GraphsThatCannotBeReadAreOneLine()
    {
        Assert.Contains("MaxRows", Triangles(File("%%MatrixMarket matrix coordinate pattern general\n2000000000 2000000000 1\n1 2\n"), 1),
            StringComparison.Ordinal);
        Assert.Contains("square", Triangles(File("%%MatrixMarket matrix coordinate pattern general\n2 3 1\n1 2\n"), 1), StringComparison.Ordinal);
        Assert.Contains("empty", Triangles(File(""), 1), StringComparison.Ordinal);
        Triangles(File("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 x\n"), 1);
        Triangles("", 1);
        Triangles("a\0b", 1);
        Triangles(_folder.Path, 1);
        Triangles(_folder.File("missing.mtx"), 1);
        using var errors = new StringWriter();
        Assert.Equal(1, GraphCommand.Run([], TextWriter.Null, errors, default));
    }

    [Fact]
    public void ScoresTakeAByteOrderMarkAndRefuseTheRestInOneLine()
    {
        const string pair = """{"candidate": "a b c d e", "references": ["a b c d e"]}""";
        Assert.StartsWith("100.0000", Bleu(["score"], "\uFEFF" + pair), StringComparison.Ordinal);
        Assert.StartsWith("100.0000", Bleu(["score", File("\uFEFF" + pair)]), StringComparison.Ordinal);
        Assert.Equal(0, JsonDocument.Parse(Bleu(["score"])).RootElement.GetProperty("sentences").GetInt32());
        foreach (string line in (string[])["{", "[]", "1", """{"candidate": 1, "references": []}""", """{"candidate": "a", "references": "b"}""",
            """{"candidate": "a", "references": [null]}""", """{"candidate": "\ud800", "references": []}"""])
            Assert.Contains("standard input: line 2: ", Bleu(["score"], pair + "\n" + line, 1), StringComparison.Ordinal);
        foreach (string path in (string[])["", "a\0b", _folder.Path, _folder.File("missing.jsonl")])
            Bleu(["score", path], expected: 1);
        foreach (string seed in (string[])["", "x", "1.5", "99999999999"])
            Assert.Contains($"the seed '{seed}'", Bleu(["learn", seed], expected: 1), StringComparison.Ordinal);
        Bleu(["neither"], expected: 1);
        Bleu([], expected: 1);
    }
}
