using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Kernels.Perf;

/// <summary><c>bench</c>: the BenchmarkDotNet classes, for close work on one variant. Arguments are BenchmarkDotNet's own.</summary>
internal static class BenchVerb
{
    // Identities are shown in full.
    private const int IdentityWidth = 60;

    private static readonly string[] s_everything = ["--filter", "*"];

    public static Command Create()
    {
        var command = new Command("bench",
            "Run the BenchmarkDotNet classes; further arguments are BenchmarkDotNet's, such as --filter or --list flat.")
        {
            TreatUnmatchedTokensAsErrors =
            false
        };
        command.SetAction(parsed =>
        {
            // In this process: a generated project would have to restore packages anew.
            IConfig config = ManualConfig.Create(DefaultConfig.Instance).AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance))
                .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(IdentityWidth));
            string[] arguments = [.. parsed.UnmatchedTokens];
            BenchmarkSwitcher.FromAssembly(typeof(BenchVerb).Assembly).Run(arguments.Length == 0 ? s_everything : arguments, config);
            return ExitCode.Passed;
        });
        return command;
    }
}
