using System.Diagnostics;
using System.Runtime.Intrinsics;
using CharRnn;

namespace Kernels.Tests;

/// <summary>The sample as a program of its own.</summary>
public sealed class CharRnnProgramTests
{
    [SkippableFact]
    public void WhateverTheProgramIsGivenItEndsInOneLine()
    {
        Skip.IfNot(Vector128.IsHardwareAccelerated,
            "without SIMD of any width the program trains for minutes; what it refuses does not depend on instruction sets");
        using var folder = new TemporaryFolder();
        string stories = StoryGrammar.Write(5000, seed: 1, out _);
        string text = folder.File("text.txt"), empty = folder.File("empty.txt"), binary = folder.File("binary"), model = folder.File("model.safetensors"),
            damaged = folder.File("damaged.safetensors");
        File.WriteAllText(text, stories);
        File.WriteAllText(empty, "");
        File.WriteAllText(folder.File("emoji.txt"), string.Concat(Enumerable.Repeat("\U0001F600\U0001F601 ", 100)));
        File.WriteAllBytes(binary, [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37))]);
        new TrainingRun(new ModelShape(CellKind.Gru, 4, 1), new Corpus(stories), new TrainingPlan(SequenceCount: 2, Length: 32), seed: 1).Save(model);
        File.WriteAllBytes(damaged, File.ReadAllBytes(model)[..^9]);
        string other = folder.File("other.safetensors"), missing = folder.File("missing");
        string[][] calls =
        [
            ["train", missing], ["train", empty], ["train", binary], ["train", folder.Path], ["train", folder.File("emoji.txt")],
            ["train", text, "--rate", "NaN"], ["train", text, "--rate", "-1"], ["train", text, "--rate", "x"], ["train", text, "--rate", ""],
            ["train", text, "--steps", "0"], ["train", text, "--steps", "99999999999"], ["train", text, "--hidden", "many"],
            ["train", text, "--cell", "none"], ["train", text, "--cell", "7"],
            ["train", text, "--hidden", "1048576", "--layers", "2"], ["train", text, "--layers", "1048576", "--hidden", "1048576"],
            ["train", text, "--sequences", "1048576", "--length", "4000"], ["train", text, "--length", "1048576"], ["train", text, "--cool-down", "-1"],
            ["train", text, "--checkpoint", folder.Path], ["train", text, "--checkpoint", ""], ["train", text, "--checkpoint", "/nowhere/at/all"],
            ["train", text, "--resume", "--checkpoint", missing],
            ["train", text, "--resume", "--checkpoint", damaged], ["train", text, "--resume", "--checkpoint", binary],
            ["train", text, "--resume", "--checkpoint", empty], ["train", "--nonsense"], ["train", text, text],
            ["write", "--checkpoint", missing], ["write", "--checkpoint", empty], ["write", "--checkpoint", damaged], ["write", "--checkpoint", binary],
            ["write", "--checkpoint", folder.Path],
            ["write", "--checkpoint", model, "--prompt", "é"], ["write", "--checkpoint", model, "--temperature", "NaN"],
            ["write", "--checkpoint", model, "--temperature", "-1"],
            ["write", "--checkpoint", model, "--length", "-1"], ["write", "--checkpoint", model, "--seed", "-1"],
            ["quantize", empty, "--checkpoint", model], ["quantize", missing, "--checkpoint", model], ["quantize", text, "--checkpoint", damaged], ["nonsense"],
        ];
        foreach (string[] call in calls)
        {
            if (call[0] == "train" && !call.Contains("--checkpoint"))
                Refused([.. call, "--checkpoint", other]);
            else
                Refused(call);
        }
        Assert.False(File.Exists(other));
    }

    private static void Refused(string[] arguments)
    {
        // bin/CONFIGURATION/FRAMEWORK, here as there.
        string bin = Path.Combine("bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name,
            "CharRnn.dll");
        string program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../samples/CharRnn", bin));
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string lines = process.StandardError.ReadToEnd();
        process.WaitForExit();
        string shown = $"{string.Join(' ', arguments)}: {process.ExitCode}, {lines}, {output.Result}";
        Assert.True(process.ExitCode == 1, shown);
        Assert.True(lines.Trim().Length > 0 && !lines.Trim().Contains('\n', StringComparison.Ordinal), shown);
        Assert.DoesNotContain("   at ", shown, StringComparison.Ordinal);
    }
}
