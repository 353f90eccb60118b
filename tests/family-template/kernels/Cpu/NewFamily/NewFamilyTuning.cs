namespace Kernels.Cpu.NewFamily;

/// <summary>Every size that steers the driver, and what it was derived from or measured by (docs/families/new_family.md).</summary>
internal static class NewFamilyTuning
{
    /// <summary>Elements below which a second thread does not pay: to be measured.</summary>
    public const long ParallelElements = 256 * 1024;

    /// <summary>Elements a thread takes at a time.</summary>
    public const int GrainElements = 16 * 1024;

    public static int ThreadCount(long elements, in KernelOptions options)
    {
        if (options.MaxDegreeOfParallelism > 0)
            return options.MaxDegreeOfParallelism;
        return elements < ParallelElements ? 1 : MachineInfo.Current.ProcessorCount;
    }

    public static long RowGrain(int width) => Math.Max(1, GrainElements / width);
}
