namespace Kernels.Perf;

/// <summary>What the process answers.</summary>
internal static class ExitCode
{
    public const int Passed = 0, CheckFailed = 1, BadInput = 2;

    public static int Of(Report report) => report.Passed ? Passed : CheckFailed;
}
