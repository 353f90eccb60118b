using System.Buffers;
using System.Runtime.InteropServices;
using Kernels.Core.Machine;

namespace Kernels.Cpu.Memory;

/// <summary>
/// Scratch cut into aligned pieces of undefined contents: from the shared pool of arrays, pinned, so that nothing is allocated once the pool is warm; from the
/// system, what no array of the pool holds; or, up to a size, from the caller's own frame, which never grows beyond what small thread stacks bear.
/// </summary>
internal unsafe ref struct RentedScratch
{
    /// <summary>The most that a frame is asked for: frames of a few nested jobs fit a stack of 128 KiB beside the runtime's own.</summary>
    public const int LargestFrameBytes = 32 << 10;

    // The largest array that the shared pool keeps.
    private const int LargestPooledBytes = 1 << 30;

    // More than a processor can address (57 bits, half of them the system's); a sum of some hundred pieces below that fits 64 bits.
    private const long LargestPieceBytes = 1L << 56;

    private readonly byte[]? _array;
    private readonly GCHandle _pin;
    private readonly byte* _native;
    private readonly long _nativeBytes;
    private byte* _next;

    /// <param name="bytes">The sum of what <see cref="Bytes{T}"/> says of all pieces.</param>
    /// <exception cref="InsufficientMemoryException">It is more than the process may use, or more than the system gives.</exception>
    public RentedScratch(long bytes)
    {
        if (bytes > LargestPooledBytes - CacheLine.Bytes)
        {
            _next = _native = Allocate(bytes);
            _nativeBytes = bytes;
            return;
        }
        _array = ArrayPool<byte>.Shared.Rent((int)bytes + CacheLine.Bytes);
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        _next = CacheLine.Align((byte*)_pin.AddrOfPinnedObject());
    }

    /// <param name="frame">As many bytes of the caller's frame as <see cref="FrameBytes"/> says.</param>
    /// <param name="bytes">The sum of what <see cref="Bytes{T}"/> says of all pieces.</param>
    /// <exception cref="InsufficientMemoryException">It is more than the process may use, or more than the system gives.</exception>
    public RentedScratch(byte* frame, long bytes)
    {
        if (FrameBytes(bytes) == 0)
            this = new RentedScratch(bytes);
        else
            _next = CacheLine.Align(frame);
    }

    /// <summary>
    /// The bytes that the process may use: the limit of its container, or the machine's memory. Asked for once, since asking costs as much as a small product.
    /// </summary>
    public static long AvailableBytes { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Scratch of one piece.</summary>
    /// <exception cref="InsufficientMemoryException">It is more than the process may use, or more than the system gives.</exception>
    public static RentedScratch Of<T>(long count, out T* piece) where T : unmanaged
    {
        var scratch = new RentedScratch(Bytes<T>(count));
        piece = scratch.Take<T>(count);
        return scratch;
    }

    /// <summary>What the caller's frame is to hold: all pieces, or nothing where they are too large for it.</summary>
    public static int FrameBytes(long bytes) => bytes + CacheLine.Bytes <= LargestFrameBytes ? (int)bytes + CacheLine.Bytes : 0;

    /// <summary>Whole lines, and one more: pieces at a distance of a multiple of 4 KiB would have reads of one wait for writes to another.</summary>
    /// <exception cref="InsufficientMemoryException">No machine has so many.</exception>
    public static long Bytes<T>(long count) where T : unmanaged
    {
        if ((ulong)count > (ulong)(LargestPieceBytes / sizeof(T)))
            throw Refusal((UInt128)(ulong)count * (uint)sizeof(T));
        return CacheLine.RoundUp(count * sizeof(T)) + CacheLine.Bytes;
    }

    public T* Take<T>(long count) where T : unmanaged
    {
        var piece = (T*)_next;
        _next += Bytes<T>(count);
        return piece;
    }

    public readonly void Dispose()
    {
        LargeMemory.Free(_native, _nativeBytes);
        if (_array is null)
            return;
        GCHandle pin = _pin;
        pin.Free();
        ArrayPool<byte>.Shared.Return(_array);
    }

    private static byte* Allocate(long bytes)
    {
        // The system may promise more than there is, and end the process that uses it.
        if (bytes > AvailableBytes)
            throw Refusal((UInt128)bytes);
        try
        {
            return LargeMemory.Allocate(bytes);
        }
        catch (OutOfMemoryException)
        {
            throw new InsufficientMemoryException($"the system does not give the {bytes} bytes of scratch that the sizes of this call ask for");
        }
    }

    private static InsufficientMemoryException Refusal(UInt128 bytes) =>
        new($"the sizes of this call ask for {bytes} bytes of scratch; the process may use {AvailableBytes}");
}
