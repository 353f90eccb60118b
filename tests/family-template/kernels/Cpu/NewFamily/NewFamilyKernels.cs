using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.NewFamily;

/// <summary>
/// The micro-kernels, in registers of any width: loops over contiguous elements that know no rows, options or threads. SimdScalar makes them the plainest
/// form.
/// </summary>
internal static class NewFamilyKernels<TSimd, V>
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    /// <summary>y = x. To be replaced by the family's mathematics.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(ref float x, ref float y, nuint count)
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + width <= count; i += width)
            TSimd.Store(TSimd.Load(ref x, i), ref y, i);
        if (i < count)
            TSimd.StoreFirst(TSimd.LoadFirst(ref x, i, count - i, TSimd.Broadcast(0)), ref y, i, count - i);
    }
}
