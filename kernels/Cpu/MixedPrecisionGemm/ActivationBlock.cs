using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The scratch of a block of rows, widened to float or rounded to eight bits, in the order in which segments are used:
/// values[segment][row][padded inputs of the segment], then, for eight bits, scales[segment][row] and sums[segment][row].
/// </summary>
internal unsafe struct ActivationBlock
{
    private readonly byte* _values;
    private readonly float* _scales;
    private readonly float* _sums;
    private readonly int _valueBytes;

    public ActivationBlock(byte* scratch, in QuantizedWeightsLayout layout, GemmArithmetic arithmetic, int rowCount)
    {
        RowCount = rowCount;
        _valueBytes = ValueBytes(arithmetic);
        _values = scratch;
        // Padded inputs are a multiple of 8: the floats behind the values are aligned.
        _scales = (float*)(scratch + layout.PaddedInputCount * rowCount * _valueBytes);
        _sums = _scales + (long)layout.SegmentCount * rowCount;
    }

    public int RowCount { get; }

    public readonly ActivationSegment Segment(in QuantizedWeightsLayout layout, int group, int segmentOfGroup)
    {
        long index = ((long)group * layout.SegmentsPerGroup + segmentOfGroup) * RowCount;
        return new ActivationSegment
        {
            Values = _values + layout.SegmentStart(group, segmentOfGroup) * RowCount * _valueBytes,
            RowCount = RowCount,
            Length = QuantizedWeightsLayout.RoundUp(layout.SegmentLength(segmentOfGroup), layout.InputsOfStep),
            Scales = _scales + index,
            Sums = _sums + index,
        };
    }

    public static long Bytes(in QuantizedWeightsLayout layout, GemmArithmetic arithmetic, int rowCount)
    {
        long factors = arithmetic == GemmArithmetic.Int8Activations ? 2L * layout.SegmentCount * sizeof(float) : 0;
        return rowCount * (layout.PaddedInputCount * ValueBytes(arithmetic) + factors);
    }

    private static int ValueBytes(GemmArithmetic arithmetic) => arithmetic == GemmArithmetic.Int8Activations ? sizeof(sbyte) : sizeof(float);
}
