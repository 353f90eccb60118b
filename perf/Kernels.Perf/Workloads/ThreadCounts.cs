namespace Kernels.Perf;

/// <summary>The numbers of threads to measure with.</summary>
internal static class ThreadCounts
{
    /// <summary>One, and as many as there are processors.</summary>
    public static IReadOnlyList<int> OneAndAll { get; } = MachineInfo.Current.ProcessorCount > 1 ? [1, MachineInfo.Current.ProcessorCount] : [1];
}
