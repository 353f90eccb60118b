using System.CommandLine;

namespace Kernels.Perf;

/// <summary>Options that several verbs have.</summary>
internal static class VerbOptions
{
    public static Option<bool> Json() => new("--json") { Description = "Print one JSON object a line and nothing else." };

    public static Option<FileInfo?> Report()
    {
        var page = new Option<FileInfo?>("--report") { Description = "Also write a self-contained HTML page." };
        page.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<FileInfo?>() is { Directory.Exists: false } file)
                given.AddError($"--report {file}: the folder does not exist");
        });
        return page;
    }
}
