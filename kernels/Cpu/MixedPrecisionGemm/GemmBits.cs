using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Bit positions and masks of the packed formats.</summary>
internal static class GemmBits
{
    /// <summary>Bits of a nibble, a byte, a short; and how far the top byte of a lane is from the bottom.</summary>
    public const int Nibble = 4, Byte = 8, Short = 16, TopByte = 24;

    /// <summary>Bits of a position within four, and the largest.</summary>
    public const int Position = TwoOfFour.PositionBits, LargestPosition = TwoOfFour.Inputs - 1;

    /// <summary>The lower nibble of each of a lane's bytes.</summary>
    public const int LowNibbles = 0x0F0F0F0F;

    /// <summary>binary16 has 10 fraction bits, binary32 has 23.</summary>
    public const int HalfFractionShift = 13;

    /// <summary>2^(127 - 15): the distance of the exponents' biases.</summary>
    public const float HalfExponentGap = 5.192296858534828e33f;

    /// <summary>See <see cref="IGemmDot{V}.StepsPerFlush"/>.</summary>
    public const int StepsPerFlushOfShorts = short.MaxValue / (2 * 15 * 127) * QuantizedWeightsLayout.LaneInputs / QuantizedWeightsLayout.StepInputs;
}
