using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>Part of a register moved through the stack, for processors without masked loads and stores.</summary>
internal static unsafe class SimdTail
{
    public static V Load<V, T>(ref T source, nuint index, nuint lanes, V fill)
        where V : unmanaged
        where T : unmanaged
    {
        Unsafe.CopyBlockUnaligned(ref Unsafe.As<V, byte>(ref fill), ref Unsafe.As<T, byte>(ref Unsafe.Add(ref source, index)), (uint)lanes * (uint)sizeof(T));
        return fill;
    }

    public static void Store<V, T>(V value, ref T destination, nuint index, nuint lanes)
        where V : unmanaged
        where T : unmanaged =>
        Unsafe.CopyBlockUnaligned(ref Unsafe.As<T, byte>(ref Unsafe.Add(ref destination, index)), ref Unsafe.As<V, byte>(ref value),
            (uint)lanes * (uint)sizeof(T));
}
