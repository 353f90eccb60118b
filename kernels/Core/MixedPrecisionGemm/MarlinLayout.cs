using Kernels.Core.Checks;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

/// <summary>The layout of MARLIN's tensors (arXiv 2408.11743; vLLM's extension to 8 bits and to zero points), to and from plain ones, bit for bit.</summary>
/// <remarks>
/// <para>Weights, as W^T[inputs, outputs], are cut into tiles of 16 inputs by 64 outputs. A tile is 1024 values, the fragments of a tensor core's matrices:
/// lane i of 32 holds, for each j of 4 groups of 16 outputs, 8 values u: input 2 (i mod 4) + (u mod 2) + 8 (u / 2 mod 2), output i / 4 + 8 (u / 4) + 16 j.
/// Values stand in the order i, j, u, lowest bits first, in 32-bit words; within 8 of them (4 in 8 bits) in the order 0, 2, 4, 6, 1, 3, 5, 7 (0, 2, 1, 3),
/// which a GPU unpacks two at a time.</para>
/// <para>Scales [groups, outputs] are permuted within 64 outputs (an 8 by 8 transposition); those of a single group for a whole column within 32 outputs. Zero
/// points are permuted like scales of several groups, interleaved and packed along outputs.</para>
/// <para>Inputs must be a multiple of 16 and outputs of 64. Complexity O(m n) time; nothing is allocated.</para>
/// </remarks>
public static class MarlinLayout
{
    private const int TileInputs = 16, TileOutputs = 64, HalfTile = 8, WordBits = 32, SingleColumns = 32;

    /// <summary>Packs values into MARLIN's tiles.</summary>
    /// <param name="values">q, [outputCount, inputCount], one in each byte.</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="inputCount">A multiple of 16.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="packed">[inputs / 16, outputs * bits / 2] words.</param>
    /// <exception cref="ArgumentException">Sizes disagree, or a value exceeds its bits.</exception>
    public static void Pack(ReadOnlySpan<byte> values, int outputCount, int inputCount, int bits, Span<int> packed)
    {
        CheckTiles(outputCount, inputCount, bits);
        Check.Exactly(values.Length, (long)outputCount * inputCount, nameof(values));
        packed = Check.Written(packed, values.Length * (long)bits / WordBits, nameof(packed));
        QuantizedWeightsChecks.Range(values, (1 << bits) - 1, nameof(values));
        packed.Clear();
        for (int output = 0; output < outputCount; output++)
        {
            for (int input = 0; input < inputCount; input++)
            {
                (long word, int shift) = Locate(output, input, outputCount, bits);
                packed[(int)word] |= values[output * inputCount + input] << shift;
            }
        }
    }

    /// <summary>Undoes <see cref="Pack"/>.</summary>
    /// <param name="packed">[inputs / 16, outputs * bits / 2] words.</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="inputCount">A multiple of 16.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="values">q, [outputCount, inputCount], one in each byte.</param>
    /// <exception cref="ArgumentException">Sizes disagree.</exception>
    public static void Unpack(ReadOnlySpan<int> packed, int outputCount, int inputCount, int bits, Span<byte> values)
    {
        CheckTiles(outputCount, inputCount, bits);
        Check.AtLeast(values.Length, (long)outputCount * inputCount, nameof(values));
        Check.Exactly(packed.Length, (long)outputCount * inputCount * bits / WordBits, nameof(packed));
        for (int output = 0; output < outputCount; output++)
        {
            for (int input = 0; input < inputCount; input++)
            {
                (long word, int shift) = Locate(output, input, outputCount, bits);
                values[output * inputCount + input] = (byte)((packed[(int)word] >> shift) & ((1 << bits) - 1));
            }
        }
    }

    /// <summary>Permutes scales.</summary>
    /// <param name="scales">[groupCount, outputCount].</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="groupCount">At least 1; with 1, the permutation for whole columns.</param>
    /// <param name="permuted">As many.</param>
    /// <exception cref="ArgumentException">Sizes disagree.</exception>
    public static void PermuteScales<T>(ReadOnlySpan<T> scales, int outputCount, int groupCount, Span<T> permuted) where T : unmanaged
    {
        CheckColumns(outputCount, groupCount);
        Check.Exactly(scales.Length, (long)outputCount * groupCount, nameof(scales));
        Check.AtLeast(permuted.Length, scales.Length, nameof(permuted));
        for (int i = 0; i < scales.Length; i++)
            permuted[(int)ScaleIndex(i % outputCount, i / outputCount, outputCount, groupCount)] = scales[i];
    }

    /// <summary>Undoes <see cref="PermuteScales{T}"/>.</summary>
    /// <param name="permuted">[groupCount, outputCount].</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="groupCount">At least 1; with 1, the permutation for whole columns.</param>
    /// <param name="scales">As many.</param>
    /// <exception cref="ArgumentException">Sizes disagree.</exception>
    public static void UnpermuteScales<T>(ReadOnlySpan<T> permuted, int outputCount, int groupCount, Span<T> scales) where T : unmanaged
    {
        CheckColumns(outputCount, groupCount);
        Check.Exactly(permuted.Length, (long)outputCount * groupCount, nameof(permuted));
        Check.AtLeast(scales.Length, permuted.Length, nameof(scales));
        for (int i = 0; i < permuted.Length; i++)
            scales[i] = permuted[(int)ScaleIndex(i % outputCount, i / outputCount, outputCount, groupCount)];
    }

    /// <summary>Permutes and packs zero points.</summary>
    /// <param name="zeroPoints">[groupCount, outputCount], one in each byte.</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="groupCount">At least 1.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="packed">[groups, outputs * bits / 32] words.</param>
    /// <exception cref="ArgumentException">Sizes disagree, or a value exceeds its bits.</exception>
    public static void PackZeroPoints(ReadOnlySpan<byte> zeroPoints, int outputCount, int groupCount, int bits, Span<int> packed)
    {
        CheckTiles(outputCount, TileInputs, bits);
        CheckColumns(outputCount, groupCount);
        Check.Exactly(zeroPoints.Length, (long)outputCount * groupCount, nameof(zeroPoints));
        packed = Check.Written(packed, zeroPoints.Length * (long)bits / WordBits, nameof(packed));
        QuantizedWeightsChecks.Range(zeroPoints, (1 << bits) - 1, nameof(zeroPoints));
        packed.Clear();
        for (int i = 0; i < zeroPoints.Length; i++)
        {
            (long word, int shift) = LocateZeroPoint(i % outputCount, i / outputCount, outputCount, bits);
            packed[(int)word] |= zeroPoints[i] << shift;
        }
    }

    /// <summary>Undoes <see cref="PackZeroPoints"/>.</summary>
    /// <param name="packed">[groups, outputs * bits / 32] words.</param>
    /// <param name="outputCount">A multiple of 64.</param>
    /// <param name="groupCount">At least 1.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="zeroPoints">[groupCount, outputCount], one in each byte.</param>
    /// <exception cref="ArgumentException">Sizes disagree.</exception>
    public static void UnpackZeroPoints(ReadOnlySpan<int> packed, int outputCount, int groupCount, int bits, Span<byte> zeroPoints)
    {
        CheckTiles(outputCount, TileInputs, bits);
        CheckColumns(outputCount, groupCount);
        Check.Exactly(packed.Length, (long)outputCount * groupCount * bits / WordBits, nameof(packed));
        zeroPoints = Check.Written(zeroPoints, (long)outputCount * groupCount, nameof(zeroPoints));
        for (int i = 0; i < zeroPoints.Length; i++)
        {
            (long word, int shift) = LocateZeroPoint(i % outputCount, i / outputCount, outputCount, bits);
            zeroPoints[i] = (byte)((packed[(int)word] >> shift) & ((1 << bits) - 1));
        }
    }

    /// <summary>The word that holds a weight, and how far its bits are shifted up in it.</summary>
    internal static (long Word, int Shift) Locate(int output, int input, int outputCount, int bits)
    {
        int inTile = input % TileInputs, column = output % TileOutputs;
        int lane = column % HalfTile * 4 + inTile % HalfTile / 2;
        int value = column % TileInputs / HalfTile * 4 + inTile / HalfTile * 2 + inTile % 2;
        int place = (lane * 4 + column / TileInputs) * HalfTile + Interleave(value, bits);
        long tile = (long)(input / TileInputs) * (outputCount / TileOutputs) + output / TileOutputs;
        return WordOf(tile * TileInputs * TileOutputs + place, bits);
    }

    internal static (long Word, int Shift) LocateZeroPoint(int output, int group, int outputCount, int bits)
    {
        // Two groups at least: the transposition of 8 by 8, whatever the number.
        int column = (int)ScaleIndex(output, 0, outputCount, groupCount: 2);
        return WordOf((long)group * outputCount + column / HalfTile * HalfTile + Interleave(column % HalfTile, bits), bits);
    }

    /// <summary>Where the scale of an output and a group stands.</summary>
    internal static long ScaleIndex(int output, int group, int outputCount, int groupCount)
    {
        if (groupCount > 1)
            return (long)group * outputCount + output / TileOutputs * TileOutputs + output % HalfTile * HalfTile + output % TileOutputs / HalfTile;
        // Position 8 i + j of 32 holds output 2 i + {0, 1, 8, 9, 16, 17, 24, 25}[j].
        int column = output % SingleColumns;
        return output / SingleColumns * SingleColumns + column % HalfTile / 2 * HalfTile + column / HalfTile * 2 + column % 2;
    }

    // Where value u of 8 goes: even ones to the front; in 8 bits within 4 values.
    private static int Interleave(int value, int bits) => bits == 4 ? value / 2 + value % 2 * 4 : value / 4 * 4 + value % 4 / 2 + value % 2 * 2;

    private static (long Word, int Shift) WordOf(long place, int bits) => (place * bits / WordBits, (int)(place * bits % WordBits));

    private static void CheckTiles(int outputCount, int inputCount, int bits)
    {
        if (outputCount < 1 || outputCount % TileOutputs != 0)
            throw new ArgumentOutOfRangeException(nameof(outputCount), outputCount, $"outputs come in tiles of {TileOutputs}");
        if (inputCount < 1 || inputCount % TileInputs != 0)
            throw new ArgumentOutOfRangeException(nameof(inputCount), inputCount, $"inputs come in tiles of {TileInputs}");
        if (bits is not 4 and not 8)
            throw new ArgumentOutOfRangeException(nameof(bits), bits, "4 or 8");
    }

    private static void CheckColumns(int outputCount, int groupCount)
    {
        CheckTiles(outputCount, TileInputs, bits: 4);
        ArgumentOutOfRangeException.ThrowIfLessThan(groupCount, 1);
    }
}
