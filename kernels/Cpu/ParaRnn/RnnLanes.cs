using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>Neighbouring channels of one run, or of a segment of it, that take neighbouring lanes of a tile.</summary>
internal unsafe struct RnnLanes<T> where T : unmanaged
{
    public T* Gates, States, Weights, Start;

    /// <summary>From one component of the start to the next.</summary>
    public long StartStride;

    /// <summary>The first lane, and how many.</summary>
    public int Lane, Count;
    public int Steps;
}

/// <summary>Copies between the caller's arrays and lanes: scratch is [steps, components, lanes].</summary>
internal static unsafe class LaneCopy<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    /// <param name="source">The first channel's first component at the first step.</param>
    /// <param name="sourceStep">Elements from one step to the next.</param>
    /// <param name="sourceStride">Elements from one component to the next.</param>
    /// <param name="scratch">The first lane to write.</param>
    /// <param name="lanes">All lanes of the scratch.</param>
    /// <param name="components">Components of a step.</param>
    /// <param name="count">Channels to copy.</param>
    /// <param name="steps">Steps to copy.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(T* source, long sourceStep, long sourceStride, T* scratch, int lanes, int components, int count, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            T* from = source;
            for (int component = 0; component < components; component++)
            {
                Copy(from, scratch, count);
                from += sourceStride;
                scratch += lanes;
            }
            source += sourceStep;
        }
    }

    /// <summary>From scratch back to rows: undoes <see cref="Gather"/>, and has its parameters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scatter(T* scratch, int lanes, T* destination, long destinationStep, long destinationStride, int components, int count, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            T* to = destination;
            for (int component = 0; component < components; component++)
            {
                Copy(scratch, to, count);
                to += destinationStride;
                scratch += lanes;
            }
            destination += destinationStep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(T* from, T* to, int count)
    {
        if (count == 1)
        {
            *to = *from;
            return;
        }
        int i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
            TSimd.Store(TSimd.Load(ref *from, (nuint)i), ref *to, (nuint)i);
        if (i < count)
            TSimd.StoreFirst(TSimd.LoadFirst(ref *from, (nuint)i, (nuint)(count - i), TSimd.Broadcast(default)), ref *to, (nuint)i, (nuint)(count - i));
    }
}
