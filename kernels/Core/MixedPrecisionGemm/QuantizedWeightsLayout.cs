namespace Kernels;

/// <summary>
/// Where a packed weight stands. Outputs come in panels of 64, inputs in segments: each group is cut every 128 inputs, and its end is padded to a step.
/// A step is 8 inputs of a panel, and its bytes stand so that every register width finds, in each 32-bit lane, 4 consecutive inputs of one output:
/// <code>
/// panel 0                                              panel 1 ...
///   step 0 (inputs 0..7)     step 1 (inputs 8..15) ...
///     u4: 64 lanes x 4 bytes; byte i of lane c = q[input i][output c] | q[input i + 4][output c] &lt;&lt; 4
///     u8: 64 lanes x 4 bytes with inputs 0..3, then as many with inputs 4..7
/// scales:      [panel][group][64], zero points (u4 with them only): [panel][group][64] bytes
/// </code>
/// Padding outputs have scale 0; padding inputs meet activations that are 0.
/// </summary>
internal readonly record struct QuantizedWeightsLayout
{
    /// <summary>Outputs of a panel: four registers of AVX-512, eight of AVX2.</summary>
    public const int PanelColumns = 64;

    /// <summary>Inputs of a step.</summary>
    public const int StepInputs = 8;

    /// <summary>Inputs of a 32-bit lane.</summary>
    public const int LaneInputs = 4;

    /// <summary>
    /// The most inputs of a segment. Products of a segment are summed before they are scaled: as integers they then stay below 128 * 255 * 127 &lt; 2^24, which
    /// floats hold exactly.
    /// </summary>
    public const int LargestSegment = 128;

    /// <summary>Alignment of the packed bytes: a cache line.</summary>
    public const int Alignment = 64;

    public QuantizedWeightsLayout(int outputCount, int inputCount, QuantizationFormat format)
    {
        OutputCount = outputCount;
        InputCount = inputCount;
        Format = format;
        GroupSize = format.GroupSize == QuantizationFormat.WholeColumn ? inputCount : format.GroupSize;
        GroupCount = inputCount / GroupSize;
        PaddedGroupSize = RoundUp(GroupSize, StepInputs);
        SegmentsPerGroup = (GroupSize + LargestSegment - 1) / LargestSegment;
        PanelCount = (outputCount + PanelColumns - 1) / PanelColumns;
        StepBytes = PanelColumns * StepInputs * (format.Type == QuantizedType.U8 ? 2 : 1) / 2;
        PaddedInputCount = (long)GroupCount * PaddedGroupSize;
        long lanes = (long)PanelCount * GroupCount * PanelColumns;
        ScaleOffset = (long)PanelCount * (PaddedInputCount / StepInputs) * StepBytes;
        ZeroPointOffset = ScaleOffset + lanes * format.ScaleBytes;
        ByteCount = ZeroPointOffset + (format.HasZeroPoints ? lanes : 0);
    }

    public int OutputCount { get; }

    public int InputCount { get; }

    public QuantizationFormat Format { get; }

    public int GroupSize { get; }

    public int GroupCount { get; }

    public int PaddedGroupSize { get; }

    public int SegmentsPerGroup { get; }

    public int PanelCount { get; }

    public int StepBytes { get; }

    public long PaddedInputCount { get; }

    public long ScaleOffset { get; }

    public long ZeroPointOffset { get; }

    public long ByteCount { get; }

    public int SegmentCount => GroupCount * SegmentsPerGroup;

    /// <summary>Inputs of a segment, by its number within its group.</summary>
    public int SegmentLength(int segmentOfGroup) => Math.Min(LargestSegment, GroupSize - segmentOfGroup * LargestSegment);

    /// <summary>The padded input at which a segment begins.</summary>
    public long SegmentStart(int group, int segmentOfGroup) => (long)group * PaddedGroupSize + segmentOfGroup * LargestSegment;

    /// <summary>The byte that holds a weight, and how far its bits are shifted up in it.</summary>
    public (long Byte, int Shift) Locate(int output, int input)
    {
        (int group, int inGroup) = Math.DivRem(input, GroupSize);
        (int panel, int column) = Math.DivRem(output, PanelColumns);
        (int step, int inStep) = Math.DivRem(inGroup, StepInputs);
        (int half, int inLane) = Math.DivRem(inStep, LaneInputs);
        long start = (((long)panel * GroupCount + group) * (PaddedGroupSize / StepInputs) + step) * StepBytes;
        long lane = start + column * LaneInputs + inLane;
        return Format.Type == QuantizedType.U8 ? (lane + half * PanelColumns * LaneInputs, 0) : (lane, half * 4);
    }

    /// <summary>The number of a group's scale and zero point.</summary>
    public long ScaleIndex(int output, int group) => ((long)(output / PanelColumns) * GroupCount + group) * PanelColumns + output % PanelColumns;

    public static int RoundUp(int value, int multiple) => (int)Math.Min(int.MaxValue, ((long)value + multiple - 1) / multiple * multiple);
}
