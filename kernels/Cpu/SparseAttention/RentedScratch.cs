using System.Buffers;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>Scratch from the shared pool of arrays, pinned and cut into aligned pieces.</summary>
internal unsafe ref struct RentedScratch
{
    private const int Alignment = 64;

    private readonly long[] _array;
    private readonly GCHandle _pin;
    private byte* _next;

    /// <param name="bytes">The sum of what <see cref="Bytes{T}"/> says of all pieces.</param>
    public RentedScratch(long bytes)
    {
        _array = ArrayPool<long>.Shared.Rent(checked((int)((bytes + Alignment) / sizeof(long) + 1)));
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        _next = (byte*)((_pin.AddrOfPinnedObject() + Alignment - 1) & -Alignment);
    }

    public static long Bytes<T>(long count) where T : unmanaged => (count * sizeof(T) + Alignment - 1) & -Alignment;

    public T* Take<T>(long count) where T : unmanaged
    {
        var piece = (T*)_next;
        _next += Bytes<T>(count);
        return piece;
    }

    public readonly void Dispose()
    {
        GCHandle pin = _pin;
        pin.Free();
        ArrayPool<long>.Shared.Return(_array);
    }
}
