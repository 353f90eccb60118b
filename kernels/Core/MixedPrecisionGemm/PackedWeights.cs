using System.Runtime.CompilerServices;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>Packed bytes seen as a matrix: reads and writes segments, scales and zero points by their place in <see cref="QuantizedWeightsLayout"/>.</summary>
internal readonly unsafe struct PackedWeights(in QuantizedWeightsLayout layout, byte* start)
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns;
    private const int HalfStepBytes = PanelColumns * QuantizedWeightsLayout.LaneInputs, Nibble = 4;
    private const uint LowNibbles = 0x0F0F0F0F;

    /// <summary>The bytes of the unpacked values of a segment: values[64 outputs][128 inputs].</summary>
    public const int SegmentBytes = PanelColumns * QuantizedWeightsLayout.LargestSegment;

    private readonly byte* _start = start;

    public QuantizedWeightsLayout Layout { get; } = layout;

    /// <summary>Null if inputs stand in their own order.</summary>
    public int* InputOrder => Layout.HasInputOrder ? (int*)(_start + Layout.InputOrderOffset) : null;

    public float Scale(int output, int group)
    {
        byte* scales = _start + Layout.ScaleOffset;
        long index = Layout.ScaleIndex(output, group);
        return Layout.Format.ScaleType switch
        {
            ScaleType.Float16 => (float)((Half*)scales)[index],
            ScaleType.BFloat16 => ((BrainFloat16*)scales)[index],
            _ => ((float*)scales)[index],
        };
    }

    public int ZeroPoint(int output, int group) =>
        Layout.Format.HasZeroPoints ? _start[Layout.ZeroPointOffset + Layout.ScaleIndex(output, group)] : Layout.Format.SymmetricZero;

    /// <summary>Keeps a scale, rounded to its type, and a zero point if the format has them.</summary>
    public void SetGroup(int output, int group, float scale, int zeroPoint)
    {
        byte* scales = _start + Layout.ScaleOffset;
        long index = Layout.ScaleIndex(output, group);
        switch (Layout.Format.ScaleType)
        {
            case ScaleType.Float16: ((Half*)scales)[index] = (Half)scale; break;
            case ScaleType.BFloat16: ((BrainFloat16*)scales)[index] = (BrainFloat16)scale; break;
            default: ((float*)scales)[index] = scale; break;
        }
        if (Layout.Format.HasZeroPoints)
            _start[Layout.ZeroPointOffset + index] = (byte)zeroPoint;
    }

    /// <summary>Packs values[64][128] of a segment; inputs beyond its end, up to the end of a step, must be 0.</summary>
    public void WriteSegment(long panel, int group, int segmentOfGroup, byte* values)
    {
        byte* step = _start + Layout.SegmentOffset(panel, group, segmentOfGroup);
        for (int input = 0; input < Layout.SegmentLength(segmentOfGroup); input += Layout.InputsOfStep, step += Layout.StepBytes)
        {
            for (int column = 0; column < PanelColumns; column++)
            {
                byte* inputs = values + column * QuantizedWeightsLayout.LargestSegment + input;
                ulong eight = Layout.Format.IsSparse ? Compress(panel, group, column, inputs, step) : Unsafe.ReadUnaligned<ulong>(inputs);
                uint* lane = (uint*)step + column;
                if (Layout.Format.IsEightBit)
                    (*lane, *(uint*)((byte*)lane + HalfStepBytes)) = ((uint)eight, (uint)(eight >> 32));
                else
                    *lane = (uint)eight | ((uint)(eight >> 32) << Nibble);
            }
        }
    }

    /// <summary>Undoes <see cref="WriteSegment"/>.</summary>
    public void ReadSegment(long panel, int group, int segmentOfGroup, byte* values)
    {
        byte* step = _start + Layout.SegmentOffset(panel, group, segmentOfGroup);
        for (int input = 0; input < Layout.SegmentLength(segmentOfGroup); input += Layout.InputsOfStep, step += Layout.StepBytes)
        {
            for (int column = 0; column < PanelColumns; column++)
            {
                uint lane = ((uint*)step)[column];
                (uint low, uint high) = Layout.Format.IsEightBit ? (lane, *(uint*)(step + HalfStepBytes + column * sizeof(uint)))
                    : (lane & LowNibbles, (lane >> Nibble) & LowNibbles);
                byte* inputs = values + column * QuantizedWeightsLayout.LargestSegment + input;
                if (Layout.Format.IsSparse)
                    TwoOfFour.Expand(low | (ulong)high << 32, Positions(step)[column], (byte)ZeroPoint(OutputOf(panel, column), group),
                        new Span<byte>(inputs, Layout.InputsOfStep));
                else
                    Unsafe.WriteUnaligned(inputs, low | (ulong)high << 32);
            }
        }
    }

    private ulong Compress(long panel, int group, int column, byte* inputs, byte* step)
    {
        (ulong kept, Positions(step)[column]) = TwoOfFour.Compress(new ReadOnlySpan<byte>(inputs, Layout.InputsOfStep),
            (byte)ZeroPoint(OutputOf(panel, column), group));
        return kept;
    }

    // Positions stand behind the values of their step.
    private ushort* Positions(byte* step) => (ushort*)(step + Layout.StepBytes) - PanelColumns;

    private static int OutputOf(long panel, int column) => (int)panel * PanelColumns + column;
}
