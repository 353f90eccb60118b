using System.Runtime.CompilerServices;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Brings rows of activations into an <see cref="ActivationBlock"/>.</summary>
internal readonly unsafe struct ActivationJob<T, TStorage>(in MixedPrecisionGemmRows<T> rows, int firstRow, in ActivationBlock block) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private readonly MixedPrecisionGemmRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly ActivationBlock _block = block;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        QuantizedWeightsLayout layout = _rows.Layout;
        T* gathered = stackalloc T[QuantizedWeightsLayout.LargestSegment];
        for (long row = begin; row < end; row++)
        {
            T* source = _rows.Activations + (_firstRow + row) * _rows.ActivationStride;
            int packed = 0;
            for (int group = 0; group < layout.GroupCount; group++)
            {
                for (int i = 0; i < layout.SegmentsPerGroup; i++)
                {
                    ActivationSegment segment = _block.Segment(layout, group, i);
                    int count = layout.SegmentLength(i);
                    T* values = _rows.InputOrder == null ? source + packed : Gather(source, _rows.InputOrder + packed, count, gathered);
                    if (_rows.Arithmetic == GemmArithmetic.Int8Activations)
                        Round(values, count, segment, row);
                    else
                        Widen(values, count, (float*)segment.Values + row * segment.Length, segment.Length);
                    packed += count;
                }
            }
        }
    }

    // Inputs sorted by group (act-order) meet activations in the same order.
    private static T* Gather(T* row, int* order, int count, T* gathered)
    {
        for (int i = 0; i < count; i++)
            gathered[i] = row[order[i]];
        return gathered;
    }

    [SkipLocalsInit]
    private static void Round(T* source, int count, in ActivationSegment segment, long row)
    {
        float* wide = stackalloc float[QuantizedWeightsLayout.LargestSegment];
        Widen(source, count, wide, segment.Length);
        (segment.Scales[row], segment.Sums[row]) = ActivationRounding.Round(wide, (sbyte*)segment.Values + row * segment.Length, segment.Length);
    }

    private static void Widen(T* source, int count, float* destination, int paddedCount)
    {
        TStorage.Widen(source, destination, count);
        new Span<float>(destination + count, paddedCount - count).Clear();
    }
}
