using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>An elementwise function in registers.</summary>
internal interface ISimdMap<V>
{
    V Of(V x);
}

/// <summary>An elementwise function of two arrays in registers.</summary>
internal interface ISimdMap2<V>
{
    V Of(V x, V y);
}

/// <summary>Loops that apply an elementwise function to contiguous elements, four registers a step. Destinations may be the sources.</summary>
internal static unsafe class SimdMap<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Stores past the caches where y can be aligned to a register; y must be pinned.</summary>
    [MethodImpl(Inline)]
    public static void RunNonTemporal<TMap>(TMap map, ref T x, ref T y, nuint count) where TMap : struct, ISimdMap<V>
    {
        nuint i = 0, misaligned = (nuint)Unsafe.AsPointer(ref y) % (nuint)sizeof(V);
        nuint head = (misaligned == 0 ? 0 : (nuint)sizeof(V) - misaligned) / (nuint)sizeof(T);
        if (misaligned % (nuint)sizeof(T) == 0 && head <= count)
        {
            if (head != 0)
                TSimd.StoreFirst(map.Of(TSimd.LoadFirst(ref x, 0, head, TSimd.Broadcast(default))), ref y, 0, head);
            i = RunAligned(map, ref x, (T*)Unsafe.AsPointer(ref y), head, count);
        }
        RunSingly(map, ref x, ref y, i, count);
    }

    [MethodImpl(Inline)]
    public static void Run<TMap>(TMap map, ref T x, ref T y, nuint count) where TMap : struct, ISimdMap<V>
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            V y0 = map.Of(TSimd.Load(ref x, i)), y1 = map.Of(TSimd.Load(ref x, i + width));
            V y2 = map.Of(TSimd.Load(ref x, i + 2 * width)), y3 = map.Of(TSimd.Load(ref x, i + 3 * width));
            TSimd.Store(y0, ref y, i);
            TSimd.Store(y1, ref y, i + width);
            TSimd.Store(y2, ref y, i + 2 * width);
            TSimd.Store(y3, ref y, i + 3 * width);
        }
        RunSingly(map, ref x, ref y, i, count);
    }

    // What four registers do not fill.
    [MethodImpl(Inline)]
    private static void RunSingly<TMap>(TMap map, ref T x, ref T y, nuint begin, nuint count) where TMap : struct, ISimdMap<V>
    {
        nuint width = (nuint)TSimd.Count, i = begin;
        for (; i + width <= count; i += width)
            TSimd.Store(map.Of(TSimd.Load(ref x, i)), ref y, i);
        if (i < count)
            TSimd.StoreFirst(map.Of(TSimd.LoadFirst(ref x, i, count - i, TSimd.Broadcast(default))), ref y, i, count - i);
    }

    [MethodImpl(Inline)]
    private static nuint RunAligned<TMap>(TMap map, ref T x, T* y, nuint begin, nuint count) where TMap : struct, ISimdMap<V>
    {
        nuint width = (nuint)TSimd.Count, i = begin;
        for (; i + 4 * width <= count; i += 4 * width)
        {
            V y0 = map.Of(TSimd.Load(ref x, i)), y1 = map.Of(TSimd.Load(ref x, i + width));
            V y2 = map.Of(TSimd.Load(ref x, i + 2 * width)), y3 = map.Of(TSimd.Load(ref x, i + 3 * width));
            TSimd.StoreNonTemporal(y0, y + i);
            TSimd.StoreNonTemporal(y1, y + i + width);
            TSimd.StoreNonTemporal(y2, y + i + 2 * width);
            TSimd.StoreNonTemporal(y3, y + i + 3 * width);
        }
        return i;
    }

    [MethodImpl(Inline)]
    public static void Run2<TMap>(TMap map, ref T a, ref T b, ref T y, nuint count) where TMap : struct, ISimdMap2<V>
    {
        nuint width = (nuint)TSimd.Count, i = 0;
        for (; i + 2 * width <= count; i += 2 * width)
        {
            V y0 = map.Of(TSimd.Load(ref a, i), TSimd.Load(ref b, i));
            V y1 = map.Of(TSimd.Load(ref a, i + width), TSimd.Load(ref b, i + width));
            TSimd.Store(y0, ref y, i);
            TSimd.Store(y1, ref y, i + width);
        }
        for (; i + width <= count; i += width)
            TSimd.Store(map.Of(TSimd.Load(ref a, i), TSimd.Load(ref b, i)), ref y, i);
        if (i < count)
        {
            V tailA = TSimd.LoadFirst(ref a, i, count - i, TSimd.Broadcast(default)), tailB = TSimd.LoadFirst(ref b, i, count - i, TSimd.Broadcast(default));
            TSimd.StoreFirst(map.Of(tailA, tailB), ref y, i, count - i);
        }
    }
}
