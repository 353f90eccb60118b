using System.Runtime.InteropServices;
using Kernels.Core.Machine;

namespace Kernels;

/// <summary>
/// The memory that packed weights lie in, outside the managed heap, and its only owner: pages of its own, a part of a mapped file, or an address that belongs
/// to somebody else.
/// </summary>
/// <remarks>
/// <para>Weights take the memory over: disposing them disposes it. It is given back once, when it was disposed and no call uses it any more, or when it is
/// garbage: calls that run while another thread disposes finish on memory that is still there, and calls that begin afterwards get an
/// <see cref="ObjectDisposedException"/>.</para>
/// <para>As a <see cref="SafeBuffer"/> it can be read and written: <see cref="SafeBuffer.ReadSpan{T}"/>, <see cref="SafeBuffer.WriteSpan{T}"/>,
/// <see cref="SafeBuffer.AcquirePointer"/>. Bytes under weights may be replaced by those of a matrix of the same description while no call runs; the next call
/// sees them.</para>
/// </remarks>
public sealed unsafe class PackedMemory : SafeBuffer
{
    /// <summary>What the address is a multiple of: a cache line.</summary>
    public const int Alignment = CacheLine.Bytes;

    // Null for own pages.
    private readonly Action? _release;
    private volatile bool _isDisposed;

    private PackedMemory(byte* start, long byteCount, Action? release)
        : base(ownsHandle: true)
    {
        _release = release;
        SetHandle((nint)start);
        Initialize((ulong)byteCount);
    }

    /// <summary>The size, which is exactly that of the packed matrix.</summary>
    public long ByteCount => (long)ByteLength;

    /// <summary>Whether nobody else can write it behind the library's back.</summary>
    internal bool IsOwn => _release is null;

    /// <summary>The first byte; valid while a lease is held.</summary>
    internal byte* Start => (byte*)handle;

    /// <summary>Pages of its own, zeroed; huge ones (2 MiB) where the operating system grants them and they pay.</summary>
    /// <param name="byteCount">At least 1.</param>
    /// <exception cref="OutOfMemoryException">The system has no more.</exception>
    public static PackedMemory Allocate(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(byteCount, 1);
        var memory = new PackedMemory(LargeMemory.AllocateZeroed(byteCount), byteCount, release: null);
        // The collector sees a small object; it should know what hangs on it.
        GC.AddMemoryPressure(byteCount);
        return memory;
    }

    /// <summary>Memory that somebody else owns, read where it lies: a torch tensor of bytes, for example.</summary>
    /// <param name="address">The first byte, a multiple of <see cref="Alignment"/>.</param>
    /// <param name="byteCount">At least 1; so many bytes must stay readable, and writable if something is packed into them, until the memory is given
    /// back.</param>
    /// <param name="owner">Kept alive until then; null for nothing.</param>
    /// <param name="release"> Called once when the memory is given back: by <see cref="SafeHandle.Dispose()"/>, by the last call that still used it, or by the
    /// finaliser's thread. It must not throw. Null for nothing.
    /// </param>
    /// <exception cref="ArgumentException">The address is 0 or not aligned.</exception>
    public static PackedMemory Borrow(nint address, long byteCount, object? owner = null, Action? release = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(byteCount, 1);
        ArgumentOutOfRangeException.ThrowIfZero(address);
        if (address % Alignment != 0)
            throw new ArgumentException($"the address 0x{address:x} is no multiple of {Alignment} bytes", nameof(address));
        return new PackedMemory((byte*)address, byteCount, Release);

        void Release()
        {
            release?.Invoke();
            GC.KeepAlive(owner);
        }
    }

    /// <summary>Zeroed memory to pack into: what was given, or pages of its own.</summary>
    /// <exception cref="ArgumentException">What was given has another size.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal static PackedMemory Prepare(PackedMemory? destination, long byteCount, string name)
    {
        if (destination is null)
            return Allocate(byteCount);
        CheckSize(destination, byteCount, name);
        using PackedLease lease = destination.Acquire(destination);
        NativeMemory.Clear(lease.Start, (nuint)byteCount);
        return destination;
    }

    /// <exception cref="ArgumentException">It has not exactly as many bytes as are needed.</exception>
    internal static void CheckSize(PackedMemory memory, long byteCount, string name)
    {
        ArgumentNullException.ThrowIfNull(memory, name);
        if (memory.ByteCount != byteCount)
            throw new ArgumentException($"{memory.ByteCount} bytes, but the packed matrix takes {byteCount}", name);
    }

    /// <summary>Keeps the memory where it is until the lease ends, whatever other threads do.</summary>
    /// <param name="user">Who uses it, for the message.</param>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal PackedLease Acquire(object user)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, user);
        bool acquired = false;
        DangerousAddRef(ref acquired);
        return new PackedLease(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_release is not null)
        {
            _release();
            return true;
        }
        LargeMemory.Free(Start, ByteCount);
        GC.RemoveMemoryPressure(ByteCount);
        return true;
    }
}

/// <summary>The use of packed memory by one call.</summary>
internal readonly unsafe ref struct PackedLease(PackedMemory memory) : IDisposable
{
    private readonly PackedMemory _memory = memory;

    public byte* Start => _memory.Start;

    public void Dispose() => _memory.DangerousRelease();
}
