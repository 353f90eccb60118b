using System.CommandLine;

namespace Kernels.Perf;

/// <summary><c>figures</c>: copies the results files into the pages that show them.</summary>
internal static class FiguresVerb
{
    public static Command Create()
    {
        var command = new Command("figures", "Copy perf/results into the README and the pages under docs, between their marks.");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        string root = MarkdownResults.RepositoryRoot();
        foreach (string page in Directory.GetFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories).Append(Path.Combine(root, "README.md")))
        {
            string text = File.ReadAllText(page), filled = PageFigures.Fill(text, file => Path.Combine(root, file) is var path && File.Exists(path)
                ? File.ReadAllText(path) : null);
            if (filled == text)
                continue;
            File.WriteAllText(page, filled);
            Console.WriteLine($"Filled: {Path.GetRelativePath(root, page)}");
        }
        return ExitCode.Passed;
    }
}
