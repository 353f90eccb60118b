namespace Kernels.Core.Machine;

/// <summary>The line of memory that caches exchange, and the alignment of everything that vectors read: no register of any instruction set is wider.</summary>
internal static class CacheLine
{
    /// <summary>The size of a line on x86-64 and on most ARM64 processors; where it is another one, this is an alignment only.</summary>
    public const int Bytes = 64;

    /// <summary>So many bytes in whole lines.</summary>
    public static long RoundUp(long bytes) => (bytes + Bytes - 1) & -Bytes;

    /// <summary>The first line that starts at this address or behind it.</summary>
    public static unsafe byte* Align(void* address) => (byte*)(((nint)address + Bytes - 1) & -Bytes);
}
