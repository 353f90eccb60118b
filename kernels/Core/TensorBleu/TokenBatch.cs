using System.Numerics;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>Makes <see cref="TokenBatch{T}"/>s: token ids of several sequences, in one of two layouts. The ids are not copied.</summary>
public static class TokenBatch
{
    /// <summary>Rows of equal length, filled up with padding at the end.</summary>
    /// <param name="tokens">[sequences, rowLength], row-major.</param>
    /// <param name="rowLength">Above 0, or 0 when there are no tokens; divides the number of tokens.</param>
    /// <param name="padToken">The id of padding. Only at the end of a row is it padding: elsewhere it is a token like any other.</param>
    /// <exception cref="ArgumentException">The row length is negative or does not divide the number of tokens.</exception>
    public static TokenBatch<T> Padded<T>(ReadOnlySpan<T> tokens, int rowLength, T padToken) where T : unmanaged, IBinaryInteger<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rowLength);
        if (rowLength == 0 ? !tokens.IsEmpty : tokens.Length % rowLength != 0)
            throw new ArgumentException($"rows of {rowLength} do not hold exactly {tokens.Length} tokens", nameof(rowLength));
        return new TokenBatch<T>(tokens, [], rowLength == 0 ? 0 : tokens.Length / rowLength, rowLength, padToken);
    }

    /// <summary>Sequences of any lengths, one after another.</summary>
    /// <param name="tokens">All tokens.</param>
    /// <param name="offsets">
    /// Where each sequence begins in <paramref name="tokens"/>, and where the last one ends: one more than there are sequences. Not falling, within 0 and the
    /// number of tokens. Empty for no sequences.
    /// </param>
    /// <exception cref="ArgumentException">An offset is below the one before it or outside of the tokens.</exception>
    public static TokenBatch<T> Ragged<T>(ReadOnlySpan<T> tokens, ReadOnlySpan<int> offsets) where T : unmanaged, IBinaryInteger<T>
    {
        BleuChecks.Offsets(offsets, tokens.Length, nameof(offsets));
        return new TokenBatch<T>(tokens, offsets, Math.Max(0, offsets.Length - 1), rowLength: 0, default);
    }
}

/// <summary>Token ids of several sequences: see <see cref="TokenBatch"/>. The default value holds none.</summary>
/// <typeparam name="T">The type of the ids: <see cref="int"/>, <see cref="long"/>, <see cref="ushort"/> or <see cref="uint"/>. Any value is a
/// token.</typeparam>
public readonly ref struct TokenBatch<T> where T : unmanaged, IBinaryInteger<T>
{
    internal TokenBatch(ReadOnlySpan<T> tokens, ReadOnlySpan<int> offsets, int count, int rowLength, T padToken)
    {
        Tokens = tokens;
        Offsets = offsets;
        (Count, RowLength, PadToken) = (count, rowLength, padToken);
    }

    /// <summary>The number of sequences.</summary>
    public int Count { get; }

    internal ReadOnlySpan<T> Tokens { get; }

    internal ReadOnlySpan<int> Offsets { get; }

    internal int RowLength { get; }

    internal T PadToken { get; }

    internal bool IsPadded => RowLength != 0;

    /// <summary>A sequence, with the padding of its row.</summary>
    internal ReadOnlySpan<T> this[int sequence] => IsPadded ? Tokens.Slice(sequence * RowLength, RowLength) : Tokens[Offsets[sequence]..Offsets[sequence + 1]];

    /// <summary>The most tokens that a sequence can have.</summary>
    internal int LongestLength
    {
        get
        {
            int longest = RowLength;
            for (int i = 1; i < Offsets.Length; i++)
                longest = Math.Max(longest, Offsets[i] - Offsets[i - 1]);
            return BleuChecks.Places(longest, "candidates");
        }
    }
}
