namespace Kernels.Perf;

/// <summary>How many copies of something exceed the last-level cache four times: calls that take them in turn find each of them in memory.</summary>
internal static class ColdCopies
{
    private const int CacheMultiple = 4;

    public static int Of(long bytes) => (int)Math.Max(1, (CacheMultiple * MachineInfo.Current.Level3Bytes + bytes - 1) / bytes);
}
