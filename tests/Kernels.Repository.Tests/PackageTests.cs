using System.Diagnostics;
using System.Text.Json;

namespace Kernels.Repository.Tests;

/// <summary>What the packages say and promise, as MSBuild evaluates it: a property that another import overrides is not there, whatever a file says.</summary>
public sealed class PackageTests
{
    private static readonly string[] s_properties =
    [
        "IsPackable", "IsTrimmable", "IsAotCompatible", "EnableTrimAnalyzer", "EnableAotAnalyzer", "EnableSingleFileAnalyzer", "EnablePackageValidation",
            "IncludeSymbols", "SymbolPackageFormat",
        "PackageIcon", "PackageReadmeFile", "PackageLicenseExpression", "PackageTags", "PackageReleaseNotes", "Description",
    ];

    // The words by which somebody would look for a family's package.
    private static readonly string[] s_families = ["softmax", "4-bit", "8-bit", "LLM.int8()", "attention", "sparse matrix products", "recurrent networks",
        "BLEU", "cross-entropy"];

    [Fact]
    public void TheBaseIsReadyForTrimmingAndNativeAot()
    {
        Dictionary<string, string> values = Evaluate("Managed/Kernels.csproj");
        string[] promised = ["IsPackable", "IsTrimmable", "IsAotCompatible", "EnableTrimAnalyzer", "EnableAotAnalyzer", "EnableSingleFileAnalyzer",
            "EnablePackageValidation", "IncludeSymbols"];
        Assert.All(promised, name => Assert.Equal(("true", name), (values[name].ToLowerInvariant(), name)));
        Assert.All(s_families, family => Assert.Contains(family, values["Description"], StringComparison.OrdinalIgnoreCase));
        AssertDescribed(values);
    }

    [Fact]
    public void TheGpuPackageSaysThatIlgpuNeedsTheWholeRuntime()
    {
        Dictionary<string, string> values = Evaluate("kernels/Gpu/Kernels.Gpu.csproj");
        Assert.All(["IsTrimmable", "IsAotCompatible"], name => Assert.Equal(("false", name), (values[name].ToLowerInvariant(), name)));
        Assert.Equal("true", values["EnablePackageValidation"].ToLowerInvariant());
        AssertDescribed(values);
    }

    private static void AssertDescribed(Dictionary<string, string> values)
    {
        Assert.Equal(("snupkg", "icon.png", "README.md", "MIT"),
            (values["SymbolPackageFormat"], values["PackageIcon"], values["PackageReadmeFile"], values["PackageLicenseExpression"]));
        Assert.NotEmpty(values["PackageTags"]);
        // The newest section of the changelog, and no other.
        string[] sections = Repository.Read("CHANGELOG.md").Split("\n## ");
        Assert.Equal(sections[1].Trim(), values["PackageReleaseNotes"].Trim());
    }

    private static Dictionary<string, string> Evaluate(string project)
    {
        var start = new ProcessStartInfo("dotnet",
            ["msbuild", Path.Combine(Repository.Root, project), .. s_properties.Select(name => $"-getProperty:{name}")])
        { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
        return document.RootElement.GetProperty("Properties").EnumerateObject()
            .ToDictionary(property => property.Name, property => property.Value.GetString()!);
    }
}
