using System.Runtime.CompilerServices;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>Rows in storage, taken through <see cref="RowQuantizer"/> chunk by chunk; floats are read where they stand.</summary>
internal static unsafe class StoredRow<T, TStorage>
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int Chunk = Int8DecompositionTuning.Chunk;

    /// <summary>The largest magnitude below the limit; bytes in <paramref name="outliers"/> (or null) are set where an element is not below it.</summary>
    [SkipLocalsInit]
    public static float AbsMax(T* row, int count, float limit, byte* outliers)
    {
        float* wide = stackalloc float[Chunk];
        float largest = 0;
        for (int start = 0; start < count; start += Chunk)
        {
            int length = Math.Min(Chunk, count - start);
            largest = RowQuantizer.Largest(Widened(row + start, wide, length), length, limit, largest, outliers == null ? null : outliers + start);
        }
        return largest;
    }

    [SkipLocalsInit]
    public static void Quantize(T* row, int count, float limit, float absMax, sbyte* values)
    {
        float* wide = stackalloc float[Chunk];
        (float raise, float factor) = AbsMaxRule.FactorsOf(absMax);
        for (int start = 0; start < count; start += Chunk)
        {
            int length = Math.Min(Chunk, count - start);
            RowQuantizer.Quantize(Widened(row + start, wide, length), length, limit, raise, factor, values + start);
        }
    }

    /// <summary>The same, in the form that the micro-kernels read.</summary>
    [SkipLocalsInit]
    public static void Pack<TKernels>(T* row, int count, float limit, float absMax, byte* packed, nint stepBytes) where TKernels : struct, IInt8Kernels
    {
        sbyte* values = stackalloc sbyte[Chunk];
        float* wide = stackalloc float[Chunk];
        (float raise, float factor) = AbsMaxRule.FactorsOf(absMax);
        for (int start = 0; start < count; start += Chunk)
        {
            int length = Math.Min(Chunk, count - start);
            RowQuantizer.Quantize(Widened(row + start, wide, length), length, limit, raise, factor, values);
            TKernels.Pack(values, packed + start / Int8WeightsLayout.LaneInputs * stepBytes, stepBytes, length);
        }
    }

    public static float At(T* row, int index)
    {
        float value;
        TStorage.Widen(row + index, &value, 1);
        return value;
    }

    /// <summary>Elements as floats: themselves, or widened into the chunk.</summary>
    public static float* Widened(T* elements, float* chunk, int count)
    {
        if (TStorage.IsComputeType)
            return (float*)elements;
        TStorage.Widen(elements, chunk, count);
        return chunk;
    }
}
