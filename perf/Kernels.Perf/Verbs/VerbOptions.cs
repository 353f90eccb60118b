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
            FileInfo? file = given.GetValueOrDefault<FileInfo?>();
            if (file is { Directory.Exists: false })
                given.AddError($"--report {file}: the folder does not exist");
            else if (file is not null && Directory.Exists(file.FullName))
                given.AddError($"--report {file}: this is a folder; the page is a file");
        });
        return page;
    }
}
