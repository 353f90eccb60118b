using System.Runtime.InteropServices;

namespace Kernels.Core.Machine;

/// <summary>Native memory for large arrays: in huge pages where the operating system grants them on request.</summary>
/// <remarks>
/// Pages of 4 KiB cost a walk of the page table for every 64 cache lines, which nothing hides where rows are read in another order than they stand in memory,
/// and not all of it where they are streamed. Linux gives pages of 2 MiB to memory that asks for them (transparent huge pages in the mode "madvise", the
/// default of most distributions). It is a hint: elsewhere, and where it is refused, memory is as it would be without.
/// </remarks>
internal static unsafe partial class LargeMemory
{
    /// <summary>The size of a huge page on x86-64, and on ARM64 with pages of 4 KiB; harmless where it is another.</summary>
    internal const int HugePageBytes = 2 << 20;

    // Linux's <asm-generic/mman-common.h>: MADV_HUGEPAGE; PROT_READ | PROT_WRITE; MAP_PRIVATE | MAP_ANONYMOUS.
    private const int AdviseHugePages = 14, ReadWrite = 1 | 2, PrivateAnonymous = 2 | 0x20;

    /// <summary>Memory with whatever it holds. Its start is a multiple of a cache line's size, of a huge page's from that size on.</summary>
    public static byte* Allocate(long bytes) =>
        IsMapped(bytes) ? Map((nuint)bytes) : (byte*)NativeMemory.AlignedAlloc((nuint)bytes, bytes < HugePageBytes ? CacheLine.Bytes : (nuint)HugePageBytes);

    /// <summary>The same, zeroed.</summary>
    public static byte* AllocateZeroed(long bytes)
    {
        byte* memory = Allocate(bytes);
        // Mapped pages are zero.
        if (!IsMapped(bytes))
            NativeMemory.Clear(memory, (nuint)bytes);
        return memory;
    }

    /// <summary>Frees what <see cref="Allocate"/> returned for as many bytes; null is allowed.</summary>
    public static void Free(byte* memory, long bytes)
    {
        if (memory == null)
            return;
        if (IsMapped(bytes))
            _ = Unmap(memory, WholePages((nuint)bytes));
        else
            NativeMemory.AlignedFree(memory);
    }

    // Pages of one's own: what a heap has once advised stays so for whoever gets it next.
    private static bool IsMapped(long bytes) => OperatingSystem.IsLinux() && bytes >= HugePageBytes;

    private static nuint WholePages(nuint bytes) => (bytes + (nuint)Environment.SystemPageSize - 1) & ~((nuint)Environment.SystemPageSize - 1);

    private static byte* Map(nuint bytes)
    {
        // A huge page more than asked for holds an aligned start; what stands before and behind goes back.
        nuint needed = WholePages(bytes), reserved = needed + HugePageBytes;
        byte* first = (byte*)Map(null, reserved, ReadWrite, PrivateAnonymous, file: -1, offset: 0);
        if ((nint)first == -1)
            throw new OutOfMemoryException($"the system refuses {bytes} bytes");
        nuint before = (nuint)(-(nint)first & (HugePageBytes - 1)), behind = HugePageBytes - before;
        byte* memory = first + before;
        if (before != 0)
            _ = Unmap(first, before);
        _ = Unmap(memory + needed, behind);
        // A refusal changes nothing but the speed. The rest behind the last whole huge page stays in small ones.
        _ = Advise(memory, bytes & ~(nuint)(HugePageBytes - 1), AdviseHugePages);
        return memory;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
