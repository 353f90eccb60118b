namespace Kernels.Core.SparseAttention;

/// <summary>
/// Keys in eight bits, cut into planes of their high and low four bits, so that scores can be had for half or for a quarter of a 16-bit key's traffic.
/// </summary>
/// <remarks>
/// A key of head h at a slot is scale (c - 128), c = round(key / scale) + 128 within 1 to 255, scale = largest magnitude / 127; c = 16 high + low. In each
/// plane [page, head] holds blocks of 16 slots; a block holds a step for each 8 dimensions; a step holds a 32-bit lane for each slot, in whose bytes 0 to 3 the
/// lower nibbles are dimensions 0 to 3 and the upper ones dimensions 4 to 7. So a register of any width finds whole tokens in its lanes, and sums need no
/// exchange between them. Dimensions that fill up the last step have c = 128.
/// </remarks>
internal static class NibbleLayout
{
    public const int SlotsPerBlock = 16, DimensionsPerStep = 8, LaneBytes = sizeof(uint), NibbleBits = 4, Zero = 128;

    /// <summary>What stands for the low nibble where it is not read: its middle.</summary>
    public const float MiddleOfLow = 7.5f;

    public const int LowNibble = (1 << NibbleBits) - 1;

    public static int StepCount(int headDimension) => (headDimension + DimensionsPerStep - 1) / DimensionsPerStep;

    /// <summary>Bytes of one plane for the slots of a page and a head.</summary>
    public static long HeadBytes(int pageSize, int headDimension) => (long)pageSize * StepCount(headDimension) * LaneBytes;

    /// <summary>Where the lane of a slot and step stands within its page and head.</summary>
    public static long LaneOffset(int slot, int step, int stepCount) =>
        (((long)(slot / SlotsPerBlock) * stepCount + step) * SlotsPerBlock + slot % SlotsPerBlock) * LaneBytes;
}
