using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>Pinned scratch from the shared pool, at a cache line's boundary, with undefined contents; nothing is allocated once the pool is warm.</summary>
internal unsafe ref struct PooledMemory<T> where T : unmanaged
{
    private const int Alignment = 64;

    private readonly byte[] _array;
    private GCHandle _handle;

    public PooledMemory(long count)
    {
        _array = ArrayPool<byte>.Shared.Rent(checked((int)(count * Unsafe.SizeOf<T>() + Alignment)));
        _handle = GCHandle.Alloc(_array, GCHandleType.Pinned);
        nuint address = (nuint)_handle.AddrOfPinnedObject();
        Pointer = (T*)((address + Alignment - 1) / Alignment * Alignment);
    }

    public T* Pointer { get; }

    public void Dispose()
    {
        _handle.Free();
        ArrayPool<byte>.Shared.Return(_array);
    }
}
