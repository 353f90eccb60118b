namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// 2:4 sparsity: of 4 consecutive inputs at most 2 have a weight. Kept are two values and, 2 bits for each, their positions within the four: 16 inputs become 8
/// values and 16 bits of positions, lowest bits first.
/// </summary>
internal static class TwoOfFour
{
    /// <summary>Inputs of which <see cref="Kept"/> are kept.</summary>
    public const int Inputs = 4;

    public const int Kept = 2;

    /// <summary>Bits of a position.</summary>
    public const int PositionBits = 2;

    private const int ByteBits = 8;

    /// <summary>Sets the two weights of least magnitude of each four to 0; of equal ones the later.</summary>
    public static void Prune(Span<float> weights)
    {
        for (int first = 0; first < weights.Length; first += Inputs)
        {
            Span<float> four = weights.Slice(first, Inputs);
            for (int dropped = 0; dropped < Inputs - Kept; dropped++)
            {
                int least = -1;
                for (int i = 0; i < Inputs; i++)
                {
                    if (four[i] != 0 && (least < 0 || Math.Abs(four[i]) <= Math.Abs(four[least])))
                        least = i;
                }
                // Fewer than four have a weight: those without count as dropped.
                if (least >= 0 && NonZero(four) > Kept)
                    four[least] = 0;
            }
        }
    }

    /// <summary>Takes the values that differ from the zero out of 16, two of each four; where there are fewer, others of that four, which are zero.</summary>
    public static (ulong Values, ushort Positions) Compress(ReadOnlySpan<byte> sixteen, byte zero)
    {
        (ulong values, int positions) = (0, 0);
        for (int slot = 0; slot < sixteen.Length / Inputs * Kept; slot += Kept)
        {
            ReadOnlySpan<byte> four = sixteen.Slice(slot / Kept * Inputs, Inputs);
            int first = Math.Max(four.IndexOfAnyExcept(zero), 0);
            // The last one that has a weight, unless that is the first; then any other.
            int last = four.LastIndexOfAnyExcept(zero);
            int second = last > first ? last : first == Inputs - 1 ? first - 1 : first + 1;
            values |= (ulong)four[first] << (slot * ByteBits) | (ulong)four[second] << ((slot + 1) * ByteBits);
            positions |= first << (slot * PositionBits) | second << ((slot + 1) * PositionBits);
        }
        return (values, (ushort)positions);
    }

    /// <summary>Undoes the compression: sixteen values, <paramref name="zero"/> where none is kept.</summary>
    public static void Expand(ulong values, ushort positions, byte zero, Span<byte> sixteen)
    {
        sixteen.Fill(zero);
        for (int slot = 0; slot < sixteen.Length / Inputs * Kept; slot++)
            sixteen[slot / Kept * Inputs + ((positions >> (slot * PositionBits)) & (Inputs - 1))] = (byte)(values >> (slot * ByteBits));
    }

    /// <summary>The first four with more than two weights; -1 if there is none.</summary>
    public static int FirstDense(ReadOnlySpan<byte> values, byte zero)
    {
        for (int first = 0; first < values.Length; first += Inputs)
        {
            if (Inputs - values.Slice(first, Inputs).Count(zero) > Kept)
                return first;
        }
        return -1;
    }

    private static int NonZero(ReadOnlySpan<float> four) => four.Length - four.Count(0f);
}
