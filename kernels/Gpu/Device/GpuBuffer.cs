using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Kernels.Gpu;

/// <summary>An array in a device's memory, row-major where it has rows. It moves only when told to.</summary>
/// <typeparam name="T">The element type. Half and BrainFloat16 reach kernels as their 16 bits.</typeparam>
public sealed class GpuBuffer<T> : IDisposable where T : unmanaged
{
    // Elements whose bytes a span counts.
    private static unsafe int LargestSpan => int.MaxValue / sizeof(T);

    // Bytes, because not every .NET element type is one ILGPU can compile.
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> _memory;

    internal unsafe GpuBuffer(GpuDevice device, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Device = device;
        Length = length;
        _memory = device.Accelerator.Allocate1D<byte>(length * sizeof(T));
    }

    /// <summary>The device the memory belongs to.</summary>
    public GpuDevice Device { get; }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The memory as kernels see it.</summary>
    /// <typeparam name="TStorage">A type of the size of <typeparamref name="T"/>.</typeparam>
    internal ArrayView<TStorage> View<TStorage>() where TStorage : unmanaged => ((ArrayView<byte>)_memory.View).Cast<TStorage>();

    /// <summary>Copies from the host to the start of the buffer and waits for the copy.</summary>
    /// <param name="source">At most <see cref="Length"/> elements.</param>
    /// <exception cref="ArgumentException">The source is longer than the buffer.</exception>
    public unsafe void CopyFrom(ReadOnlySpan<T> source)
    {
        if (source.Length > Length)
            throw new ArgumentException($"{source.Length} elements do not fit into a buffer of {Length}", nameof(source));
        if (source.IsEmpty)
            return;
        AcceleratorStream stream = Device.Accelerator.DefaultStream;
        _memory.View.SubView(0, (long)source.Length * sizeof(T)).CopyFromCPU(stream, MemoryMarshal.AsBytes(source));
        stream.Synchronize();
    }

    /// <summary>Copies from an address of the host that stays where it is, more than a span counts if need be, and waits for the copy.</summary>
    internal unsafe void CopyFrom(T* source, long count)
    {
        for (long first = 0; first < count; first += LargestSpan)
        {
            AcceleratorStream stream = Device.Accelerator.DefaultStream;
            int length = (int)Math.Min(LargestSpan, count - first);
            _memory.View.SubView(first * sizeof(T), (long)length * sizeof(T)).CopyFromCPU(stream, new ReadOnlySpan<byte>(source + first, length * sizeof(T)));
            stream.Synchronize();
        }
    }

    /// <summary>Waits for the work queued so far, then copies the start of the buffer to the host.</summary>
    /// <param name="destination">At most <see cref="Length"/> elements.</param>
    /// <exception cref="ArgumentException">The destination is longer than the buffer.</exception>
    public unsafe void CopyTo(Span<T> destination)
    {
        if (destination.Length > Length)
            throw new ArgumentException($"a buffer of {Length} elements cannot fill {destination.Length}", nameof(destination));
        if (destination.IsEmpty)
            return;
        AcceleratorStream stream = Device.Accelerator.DefaultStream;
        _memory.View.SubView(0, (long)destination.Length * sizeof(T)).CopyToCPU(stream, MemoryMarshal.AsBytes(destination));
        stream.Synchronize();
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
