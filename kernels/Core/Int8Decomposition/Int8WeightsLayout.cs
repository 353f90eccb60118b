using Kernels.Core.Machine;

namespace Kernels.Core.Int8Decomposition;

/// <summary>
/// Where a packed weight stands. Outputs come in panels of 32, inputs in steps of 4, so that every 32-bit lane holds 4 consecutive inputs of one output and
/// a single row of activations reads a panel from front to back:
/// <code>
/// panel 0                                          panel 1 ...
///   step 0 (inputs 0..3)    step 1 (inputs 4..7) ...
///     32 lanes x 4 bytes; byte i of lane c = q[output c][input i]
/// factors: [panel][32] floats, absmax / 127;  sums: [panel][32] int32, the sum of an output's values over all inputs
/// largest magnitudes: [panel][32] floats, absmax
/// </code>
/// Padding, of outputs and of inputs, is zeros.
/// </summary>
internal readonly record struct Int8WeightsLayout
{
    /// <summary>Outputs of a panel: a step of one panel is two cache lines, four registers of AVX2.</summary>
    public const int PanelColumns = 32;

    /// <summary>Inputs of a 32-bit lane.</summary>
    public const int LaneInputs = 4;

    /// <summary>Bytes of a step of one panel.</summary>
    public const int StepBytes = PanelColumns * LaneInputs;

    /// <summary>Alignment of the packed bytes: a cache line.</summary>
    public const int Alignment = CacheLine.Bytes;

    /// <summary>The most inputs for which sums of products of values within +-127 fit int32: (2^31 - 1) / 127^2 = 133,144.</summary>
    public const int LargestInputCount = int.MaxValue / (sbyte.MaxValue * sbyte.MaxValue);

    /// <summary>The most inputs for which this holds even if every product is -128 * -128: 131,071.</summary>
    public const int LargestFullRangeInputCount = int.MaxValue / (sbyte.MinValue * sbyte.MinValue);

    public Int8WeightsLayout(int outputCount, int inputCount)
    {
        OutputCount = outputCount;
        InputCount = inputCount;
        PanelCount = (outputCount + PanelColumns - 1) / PanelColumns;
        StepCount = (inputCount + LaneInputs - 1) / LaneInputs;
        PanelBytes = (long)StepCount * StepBytes;
        FactorOffset = PanelCount * PanelBytes;
        SumOffset = FactorOffset + (long)PanelCount * PanelColumns * sizeof(float);
        AbsMaxOffset = SumOffset + (long)PanelCount * PanelColumns * sizeof(int);
        ByteCount = AbsMaxOffset + (long)PanelCount * PanelColumns * sizeof(float);
    }

    public int OutputCount { get; }

    public int InputCount { get; }

    public int PanelCount { get; }

    public int StepCount { get; }

    public long PanelBytes { get; }

    public long FactorOffset { get; }

    public long SumOffset { get; }

    public long AbsMaxOffset { get; }

    public long ByteCount { get; }

    /// <summary>
    /// The byte of an output's first input; the next inputs follow in its lane, and every <see cref="LaneInputs"/> inputs <see cref="StepBytes"/> further.
    /// </summary>
    public long Start(int output) => output / PanelColumns * PanelBytes + output % PanelColumns * LaneInputs;

    /// <summary>How far an input stands behind the output's first one.</summary>
    public static long Offset(int input) => (long)(input / LaneInputs) * StepBytes + input % LaneInputs;
}
