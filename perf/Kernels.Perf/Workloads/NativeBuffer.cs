using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>Page-aligned memory outside the garbage-collected heap, every page of which has been touched.</summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable where T : unmanaged
{
    private const int PageBytes = 4096;

    public NativeBuffer(int length)
    {
        Length = length;
        Pointer = (T*)NativeMemory.AlignedAlloc(Math.Max((nuint)length, 1) * (nuint)sizeof(T), PageBytes);
        Span.Clear();
    }

    public T* Pointer { get; private set; }

    public int Length { get; }

    public Span<T> Span => new(Pointer, Length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
