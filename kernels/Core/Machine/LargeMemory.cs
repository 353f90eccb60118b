using System.Runtime.InteropServices;

namespace Kernels.Core.Machine;

/// <summary>Uninitialised native memory for large arrays that are read in pieces: in huge pages where the operating system grants them on request.</summary>
/// <remarks>
/// Pages of 4 KiB cost a walk of the page table for every 64 cache lines, which nothing hides where rows are read in another order than they stand in memory. Linux gives pages of
/// 2 MiB to memory that asks for them (transparent huge pages in the mode "madvise", the default of most distributions). It is a hint: elsewhere, and where it is refused, memory
/// is as it would be without.
/// </remarks>
internal static unsafe partial class LargeMemory
{
    /// <summary>The size of a huge page on x86-64, and on ARM64 with pages of 4 KiB; harmless where it is another.</summary>
    internal const int HugePageBytes = 2 << 20;

    // MADV_HUGEPAGE of Linux's <asm-generic/mman-common.h>.
    private const int AdviseHugePages = 14;

    /// <summary>Memory whose start is a multiple of a cache line's size, of a huge page's from that size on.</summary>
    public static byte* Allocate(long bytes)
    {
        if (bytes < HugePageBytes)
            return (byte*)NativeMemory.AlignedAlloc((nuint)bytes, CacheLine.Bytes);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, HugePageBytes);
        // Whole huge pages only: what shares the last one belongs to others. A refusal changes nothing but the speed.
        if (OperatingSystem.IsLinux())
            _ = Advise(memory, (nuint)bytes & ~(nuint)(HugePageBytes - 1), AdviseHugePages);
        return memory;
    }

    /// <summary>Frees what <see cref="Allocate"/> returned; null is allowed.</summary>
    public static void Free(byte* memory) => NativeMemory.AlignedFree(memory);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
