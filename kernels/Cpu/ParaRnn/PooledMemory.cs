using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Pinned scratch from the shared pool, at a cache line's boundary, with undefined contents; nothing is allocated once the pool is warm. What no array holds
/// comes from the system.
/// </summary>
internal unsafe ref struct PooledMemory<T> where T : unmanaged
{
    private const int Alignment = 64;

    private readonly byte[]? _array;
    private GCHandle _handle;

    public PooledMemory(long count)
    {
        long bytes = checked(count * Unsafe.SizeOf<T>() + Alignment);
        if (bytes > Array.MaxLength)
        {
            Pointer = (T*)NativeMemory.AlignedAlloc(checked((nuint)bytes), Alignment);
            return;
        }
        _array = ArrayPool<byte>.Shared.Rent((int)bytes);
        _handle = GCHandle.Alloc(_array, GCHandleType.Pinned);
        nuint address = (nuint)_handle.AddrOfPinnedObject();
        Pointer = (T*)((address + Alignment - 1) / Alignment * Alignment);
    }

    public T* Pointer { get; }

    public void Dispose()
    {
        if (_array is null)
        {
            NativeMemory.AlignedFree(Pointer);
            return;
        }
        _handle.Free();
        ArrayPool<byte>.Shared.Return(_array);
    }
}
