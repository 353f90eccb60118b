using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// A short row of registers at a fixed distance from each other in memory: the gate inputs of one step, the components of a state, a small Jacobian.
/// </summary>
/// <typeparam name="V">The register.</typeparam>
public readonly ref struct RnnRegisters<V> where V : unmanaged
{
    private readonly ref byte _first;
    private readonly nint _strideBytes;

    /// <summary>Registers side by side.</summary>
    public RnnRegisters(Span<V> registers)
        : this(ref Unsafe.As<V, byte>(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(registers)), Unsafe.SizeOf<V>())
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal RnnRegisters(ref byte first, nint strideBytes)
    {
        _first = ref first;
        _strideBytes = strideBytes;
    }

    /// <summary>The register at that place; a cell stays within its own counts, nothing checks it.</summary>
    public V this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.ReadUnaligned<V>(ref Unsafe.AddByteOffset(ref _first, index * _strideBytes));
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref _first, index * _strideBytes), value);
    }
}
