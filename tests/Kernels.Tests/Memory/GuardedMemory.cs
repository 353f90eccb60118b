using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>
/// Elements that end, or begin, at a page nobody may touch: a kernel that reads or writes one byte beyond its span dies of it. POSIX only.
/// </summary>
internal sealed unsafe partial class GuardedMemory<T> : IDisposable where T : unmanaged
{
    private const int ReadWrite = 1 | 2, PrivateAnonymous = 2 | 0x20;

    private readonly byte* _mapping;
    private readonly nuint _mappedBytes;
    private readonly T* _elements;
    private readonly int _count;

    public GuardedMemory(int count, bool guardAfter)
    {
        nuint page = (nuint)Environment.SystemPageSize, bytes = (nuint)count * (nuint)sizeof(T), pages = (bytes + page - 1) / page;
        _mappedBytes = (pages + 2) * page;
        _mapping = (byte*)Posix.Map(null, _mappedBytes, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)_mapping == -1)
            throw new OutOfMemoryException($"mmap failed with error {Marshal.GetLastPInvokeError()}");
        byte* first = _mapping + page, last = first + pages * page;
        if (Posix.Protect(_mapping, page, 0) != 0 || Posix.Protect(last, page, 0) != 0)
            throw new InvalidOperationException($"mprotect failed with error {Marshal.GetLastPInvokeError()}");
        _elements = (T*)(guardAfter ? last - bytes : first);
        _count = count;
    }

    public static bool IsSupported => OperatingSystem.IsLinux();

    public Span<T> Span => new(_elements, _count);

    public void Dispose() => Posix.Unmap(_mapping, _mappedBytes);
}

internal static unsafe partial class Posix
{
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial void* Map(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    public static partial int Protect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nuint bytes);
}
