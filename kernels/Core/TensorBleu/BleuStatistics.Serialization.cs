using System.Buffers.Binary;
using Kernels.Core.Checks;
using Kernels.Core.TensorBleu;

namespace Kernels;

// Layout, little-endian: "BLEU" and the version in 8 bytes, then 64-bit numbers: orders, sentences, candidate length, reference length, and for each order
// up to LargestOrder matches, totals, sentences without.
public readonly partial struct BleuStatistics
{
    private const ulong MagicAndVersion = 0x0000_0001_5545_4C42; // "BLEU", version 1
    private const int HeaderNumbers = 5, NumbersPerOrder = 3;

    /// <summary>The number of bytes that <see cref="Write"/> writes.</summary>
    public const int SerializedBytes = sizeof(long) * (HeaderNumbers + NumbersPerOrder * BleuOptions.LargestOrder);

    /// <summary>Writes all counts, in a form that does not depend on the machine.</summary>
    /// <param name="destination">At least <see cref="SerializedBytes"/> bytes.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void Write(Span<byte> destination)
    {
        Check.AtLeast(destination.Length, SerializedBytes, nameof(destination));
        BinaryPrimitives.WriteUInt64LittleEndian(destination, MagicAndVersion);
        ReadOnlySpan<long> header = [OrderCount, SentenceCount, CandidateLength, ReferenceLength];
        Span<byte> rest = WriteNumbers(header, destination[sizeof(ulong)..]);
        rest = WriteNumbers(_matches, rest);
        rest = WriteNumbers(_totals, rest);
        WriteNumbers(_sentencesWithout, rest);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="source">At least <see cref="SerializedBytes"/> bytes.</param>
    /// <exception cref="ArgumentException">The source is too short.</exception>
    /// <exception cref="FormatException">The bytes are not statistics of this version.</exception>
    public static BleuStatistics Read(ReadOnlySpan<byte> source)
    {
        Check.AtLeast(source.Length, SerializedBytes, nameof(source));
        if (BinaryPrimitives.ReadUInt64LittleEndian(source) != MagicAndVersion)
            throw new FormatException("the bytes do not begin as BLEU statistics of version 1 do");
        Span<long> numbers = stackalloc long[HeaderNumbers - 1 + NumbersPerOrder * BleuOptions.LargestOrder];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(source[(sizeof(long) * (i + 1))..]);
            if (numbers[i] < 0)
                throw new FormatException($"number {i} of the statistics is negative: {numbers[i]}");
        }
        if (numbers[0] > BleuOptions.LargestOrder)
            throw new FormatException($"statistics of {numbers[0]} orders; {BleuOptions.LargestOrder} is the most");
        OrderCounts matches = default, totals = default, without = default;
        for (int i = 0; i < BleuOptions.LargestOrder; i++)
        {
            ReadOnlySpan<long> orders = numbers[(HeaderNumbers - 1)..];
            matches[i] = orders[i];
            totals[i] = orders[BleuOptions.LargestOrder + i];
            without[i] = orders[2 * BleuOptions.LargestOrder + i];
            if (matches[i] > totals[i])
                throw new FormatException($"{matches[i]} matches of {totals[i]} n-grams of order {i + 1}");
        }
        return new BleuStatistics((int)numbers[0], numbers[1], numbers[2], numbers[3], matches, totals, without);
    }

    private static Span<byte> WriteNumbers(ReadOnlySpan<long> numbers, Span<byte> destination)
    {
        for (int i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(destination[(sizeof(long) * i)..], numbers[i]);
        return destination[(sizeof(long) * numbers.Length)..];
    }
}
