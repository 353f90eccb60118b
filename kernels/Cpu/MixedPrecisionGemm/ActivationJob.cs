using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Brings rows of activations into an <see cref="ActivationBlock"/>.</summary>
internal readonly unsafe struct ActivationJob<T, TStorage>(in QuantizedWeightsLayout layout, GemmArithmetic arithmetic, T* rows, int* inputOrder, in ActivationBlock block) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private readonly QuantizedWeightsLayout _layout = layout;
    private readonly GemmArithmetic _arithmetic = arithmetic;
    private readonly T* _rows = rows;
    private readonly int* _inputOrder = inputOrder;
    private readonly ActivationBlock _block = block;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        T* gathered = stackalloc T[QuantizedWeightsLayout.LargestSegment];
        for (long row = begin; row < end; row++)
        {
            T* source = _rows + row * _layout.InputCount;
            int packed = 0;
            for (int group = 0; group < _layout.GroupCount; group++)
            {
                for (int i = 0; i < _layout.SegmentsPerGroup; i++)
                {
                    ActivationSegment segment = _block.Segment(_layout, group, i);
                    int count = _layout.SegmentLength(i);
                    T* values = _inputOrder == null ? source + packed : Gather(source, _inputOrder + packed, count, gathered);
                    if (_arithmetic == GemmArithmetic.Int8Activations)
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
