using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Brings rows of activations into an <see cref="ActivationBlock"/>.</summary>
internal readonly unsafe struct ActivationJob<T, TStorage>(in QuantizedWeightsLayout layout, GemmArithmetic arithmetic, T* rows, in ActivationBlock block) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private readonly QuantizedWeightsLayout _layout = layout;
    private readonly GemmArithmetic _arithmetic = arithmetic;
    private readonly T* _rows = rows;
    private readonly ActivationBlock _block = block;

    public void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            T* source = _rows + row * _layout.InputCount;
            for (int group = 0; group < _layout.GroupCount; group++)
            {
                for (int i = 0; i < _layout.SegmentsPerGroup; i++)
                {
                    ActivationSegment segment = _block.Segment(_layout, group, i);
                    int count = _layout.SegmentLength(i);
                    if (_arithmetic == GemmArithmetic.Int8Activations)
                        Round(source, count, segment, row);
                    else
                        Widen(source, count, (float*)segment.Values + row * segment.Length, segment.Length);
                    source += count;
                }
            }
        }
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
