using System.Buffers;
using System.Runtime.InteropServices;

namespace Kernels.Cpu.Memory;

/// <summary>
/// Scratch cut into aligned pieces: from the shared pool of arrays, pinned; or, up to a size, from the caller's own frame, which never grows beyond what small thread stacks bear.
/// </summary>
internal unsafe ref struct RentedScratch
{
    /// <summary>The most that a frame is asked for: frames of a few nested jobs fit a stack of 128 KiB beside the runtime's own.</summary>
    public const int LargestFrameBytes = 32 << 10;

    private const int Alignment = 64;

    private readonly long[]? _array;
    private readonly GCHandle _pin;
    private byte* _next;

    /// <param name="bytes">The sum of what <see cref="Bytes{T}"/> says of all pieces.</param>
    public RentedScratch(long bytes)
    {
        _array = ArrayPool<long>.Shared.Rent(checked((int)((bytes + Alignment) / sizeof(long) + 1)));
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        _next = Align((byte*)_pin.AddrOfPinnedObject());
    }

    /// <param name="frame">As many bytes of the caller's frame as <see cref="FrameBytes"/> says.</param>
    /// <param name="bytes">The sum of what <see cref="Bytes{T}"/> says of all pieces.</param>
    public RentedScratch(byte* frame, long bytes)
    {
        if (FrameBytes(bytes) == 0)
            this = new RentedScratch(bytes);
        else
            _next = Align(frame);
    }

    /// <summary>What the caller's frame is to hold: all pieces, or nothing where they are too large for it.</summary>
    public static int FrameBytes(long bytes) => bytes + Alignment <= LargestFrameBytes ? (int)bytes + Alignment : 0;

    /// <summary>Whole lines, and one more: pieces at a distance of a multiple of 4 KiB would have reads of one wait for writes to another.</summary>
    public static long Bytes<T>(long count) where T : unmanaged => ((count * sizeof(T) + Alignment - 1) & -Alignment) + Alignment;

    public T* Take<T>(long count) where T : unmanaged
    {
        var piece = (T*)_next;
        _next += Bytes<T>(count);
        return piece;
    }

    public readonly void Dispose()
    {
        if (_array is null)
            return;
        GCHandle pin = _pin;
        pin.Free();
        ArrayPool<long>.Shared.Return(_array);
    }

    private static byte* Align(byte* address) => (byte*)(((nint)address + Alignment - 1) & -Alignment);
}
