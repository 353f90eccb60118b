using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.Simd;

/// <summary>Asks for a cache line ahead of its use; nothing where the processor has no such instruction. Any address will do.</summary>
internal static unsafe class Prefetch
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}
