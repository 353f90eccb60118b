using System.Diagnostics;

namespace Kernels.Repository.Tests;

/// <summary>
/// The script that lays out a new family (docs/adding-a-kernel.md): every room, every table, nothing of the template's name left. That what it lays out
/// builds is held by Kernels.Tests, which compiles the template, and by .ci/run, which builds a family in a copy of the repository.
/// </summary>
public sealed class NewFamilyTests : IDisposable
{
    private const string Template = "tests/family-template";

    private static readonly string[] s_tables = ["README.md", "Managed/Catalogue/KernelInfo.cs"];

    private readonly DirectoryInfo _checkout = Directory.CreateTempSubdirectory("new-family");

    public NewFamilyTests()
    {
        Skip.If(OperatingSystem.IsWindows(), "the script is one for bash");
        foreach (string file in s_tables)
        {
            string copy = Path.Combine(_checkout.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, Repository.Read(file));
        }
    }

    public void Dispose() => _checkout.Delete(recursive: true);

    [SkippableFact]
    public void EveryRoomIsLaidOutUnderTheFamilysName()
    {
        (int exitCode, string error) = Run("rotary_embedding_2");
        Assert.Equal((0, ""), (exitCode, error));
        string folder = Path.Combine(Repository.Root, Template);
        IEnumerable<string> expected = Repository.Files(Template, "*").Select(file => Named(Path.GetRelativePath(folder, file)));
        string[] written = [.. Written().Except(s_tables)];
        Assert.Equal(expected.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
        foreach (string file in written)
        {
            string text = File.ReadAllText(Path.Combine(_checkout.FullName, file));
            Assert.DoesNotMatch("(?i)new.?family", text);
            Assert.EndsWith("\n", text, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public void TheTablesHaveTheFamilyAsTheirLastRow()
    {
        Run("rotary_embedding");
        string[] before = Lines(Repository.Root, "README.md"), after = Lines(_checkout.FullName, "README.md");
        string[] rows = [.. after.Except(before)];
        Assert.Equal(before, after.Where(line => !rows.Contains(line)));
        Assert.Equal(2, rows.Length);
        Assert.StartsWith("| Rotary embedding |", rows[0], StringComparison.Ordinal);
        Assert.StartsWith("| `rotary_embedding` |", rows[1], StringComparison.Ordinal);
        Assert.All(rows, row => Assert.Equal("", after[Array.IndexOf(after, row) + 1]));
        const string catalogue = "Managed/Catalogue/KernelInfo.cs";
        string line = Assert.Single(Lines(_checkout.FullName, catalogue).Except(Lines(Repository.Root, catalogue)));
        Assert.Equal("Describe(RotaryEmbeddingVariants.Table),", line.Trim());
    }

    [SkippableTheory]
    [InlineData("RotaryEmbedding")]
    [InlineData("rotary-embedding")]
    [InlineData("rotary__embedding")]
    [InlineData("2d")]
    [InlineData("../softmax")]
    [InlineData("")]
    public void WhatIsNoWordOfACatalogueIsRefused(string name)
    {
        (int exitCode, string error) = Run(name);
        Assert.Equal(2, exitCode);
        Assert.Contains($"'{name}'", error, StringComparison.Ordinal);
        Assert.Equal(2, Written().Count());
    }

    [SkippableFact]
    public void AFamilyThatIsThereIsLeftAlone()
    {
        Run("rotary_embedding");
        string[] before = [.. Written().Select(file => File.ReadAllText(Path.Combine(_checkout.FullName, file)))];
        (int exitCode, string error) = Run("rotary_embedding");
        Assert.Equal(2, exitCode);
        Assert.Contains("rotary_embedding.md", error, StringComparison.Ordinal);
        Assert.Equal(before, Written().Select(file => File.ReadAllText(Path.Combine(_checkout.FullName, file))));
    }

    private static string Named(string template) =>
        template.Replace("NewFamily", "RotaryEmbedding2", StringComparison.Ordinal).Replace("new_family", "rotary_embedding_2", StringComparison.Ordinal);

    private static string[] Lines(string root, string file) => File.ReadAllLines(Path.Combine(root, file));

    private IEnumerable<string> Written() =>
        Directory.EnumerateFiles(_checkout.FullName, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_checkout.FullName, file));

    private (int ExitCode, string Error) Run(string name)
    {
        using Process script = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "kernels/new-family"), name, _checkout.FullName])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> output = script.StandardOutput.ReadToEndAsync();
        string error = script.StandardError.ReadToEnd();
        script.WaitForExit();
        _ = output.Result;
        return (script.ExitCode, error);
    }
}
