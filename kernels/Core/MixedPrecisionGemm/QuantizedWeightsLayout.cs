using Kernels.Core.Machine;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// Where a packed weight stands. Outputs come in panels of 64, inputs in segments: each group is cut every 128 inputs, and its end is padded to a step.
/// A step is 8 inputs of a panel, and its bytes stand so that every register width finds, in each 32-bit lane, 4 consecutive inputs of one output:
/// <code>
/// panel 0                                              panel 1 ...
///   step 0 (inputs 0..7)     step 1 (inputs 8..15) ...
///     u4: 64 lanes x 4 bytes; byte i of lane c = q[input i][output c] | q[input i + 4][output c] &lt;&lt; 4
///     u8: 64 lanes x 4 bytes with inputs 0..3, then as many with inputs 4..7
///   2:4: a step is 16 inputs of which 8 are kept; they stand as above, and behind them 64 x 16 bits of positions (TwoOfFour)
/// scales:      [panel][group][64]
/// zero points: [panel][group][64] bytes, in formats that have them
/// input order: [inputs] int32, if inputs were sorted by group: packed input i is input order[i] of the matrix
/// </code>
/// Padding outputs have scale 0; padding inputs meet activations that are 0.
/// </summary>
internal readonly record struct QuantizedWeightsLayout
{
    /// <summary>Outputs of a panel: four registers of AVX-512, eight of AVX2.</summary>
    public const int PanelColumns = 64;

    /// <summary>Values of a step; its inputs, too, where all are stored.</summary>
    public const int StepInputs = 8;

    /// <summary>Inputs of a 32-bit lane.</summary>
    public const int LaneInputs = 4;

    /// <summary>
    /// The most inputs of a segment. Products of a segment are summed before they are scaled: as integers they then stay below 128 * 255 * 127 &lt; 2^24, which
    /// floats hold exactly.
    /// </summary>
    public const int LargestSegment = 128;

    /// <summary>Alignment of the packed bytes: a cache line.</summary>
    public const int Alignment = CacheLine.Bytes;

    public QuantizedWeightsLayout(int outputCount, int inputCount, QuantizationFormat format, bool hasInputOrder = false)
    {
        OutputCount = outputCount;
        InputCount = inputCount;
        GroupSize = format.GroupSizeOf(inputCount);
        Format = format with { GroupSize = GroupSize };
        GroupCount = inputCount / GroupSize;
        InputsOfStep = format.IsSparse ? StepInputs * TwoOfFour.Inputs / TwoOfFour.Kept : StepInputs;
        PaddedGroupSize = RoundUp(GroupSize, InputsOfStep);
        SegmentsPerGroup = (GroupSize + LargestSegment - 1) / LargestSegment;
        PanelCount = (outputCount + PanelColumns - 1) / PanelColumns;
        StepBytes = PanelColumns * (StepInputs * (format.IsEightBit ? 2 : 1) / 2 + (format.IsSparse ? sizeof(ushort) : 0));
        PaddedInputCount = (long)GroupCount * PaddedGroupSize;
        long lanes = (long)PanelCount * GroupCount * PanelColumns;
        ScaleOffset = (long)PanelCount * (PaddedInputCount / InputsOfStep) * StepBytes;
        ZeroPointOffset = ScaleOffset + lanes * format.ScaleBytes;
        InputOrderOffset = ZeroPointOffset + (format.HasZeroPoints ? lanes : 0);
        HasInputOrder = hasInputOrder;
        ByteCount = InputOrderOffset + (hasInputOrder ? ((long)inputCount * sizeof(int) + Alignment - 1) / Alignment * Alignment : 0);
    }

    public int OutputCount { get; }

    public int InputCount { get; }

    public QuantizationFormat Format { get; }

    public int GroupSize { get; }

    public int GroupCount { get; }

    /// <summary>Inputs that a step covers: 8, or 16 of which 8 are kept.</summary>
    public int InputsOfStep { get; }

    public int PaddedGroupSize { get; }

    public int SegmentsPerGroup { get; }

    public int PanelCount { get; }

    public int StepBytes { get; }

    public long PaddedInputCount { get; }

    public long ScaleOffset { get; }

    public long ZeroPointOffset { get; }

    public long InputOrderOffset { get; }

    /// <summary>Whether inputs were sorted by group (act-order), so that activations must be gathered.</summary>
    public bool HasInputOrder { get; }

    public long ByteCount { get; }

    public int SegmentCount => GroupCount * SegmentsPerGroup;

    /// <summary>Inputs of a segment, by its number within its group.</summary>
    public int SegmentLength(int segmentOfGroup) => Math.Min(LargestSegment, GroupSize - segmentOfGroup * LargestSegment);

    /// <summary>The padded input at which a segment begins.</summary>
    public long SegmentStart(int group, int segmentOfGroup) => (long)group * PaddedGroupSize + segmentOfGroup * LargestSegment;

    /// <summary>The byte at which a segment of a panel begins.</summary>
    public long SegmentOffset(long panel, int group, int segmentOfGroup) =>
        (panel * PaddedInputCount + SegmentStart(group, segmentOfGroup)) / InputsOfStep * StepBytes;

    /// <summary>The number of a group's scale and zero point.</summary>
    public long ScaleIndex(int output, int group) => ((long)(output / PanelColumns) * GroupCount + group) * PanelColumns + output % PanelColumns;

    public static int RoundUp(int value, int multiple) => (int)Math.Min(int.MaxValue, ((long)value + multiple - 1) / multiple * multiple);
}
