using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Primitives;

/// <summary>
/// Exact selection of the largest of many scores: the k-th largest by radix selection, of few scores by halving with counts, then one pass in order. Both find
/// the same: equal scores are taken by lower index, -0 equals 0, NaN is below all others.
/// </summary>
internal static class TopKSelection
{
    // Three steps; a histogram of 8 KiB stays in level 1.
    private const int KeyBits = 32, StepBits = 11;

    private const uint SignBit = 1U << (KeyBits - 1);

    // Clearing and reading the histograms costs as much as counting this many scores for each bit; their keys take as much of the stack as a histogram.
    private const int LargestCounted = 1 << StepBits;

    /// <summary>
    /// The indices of the largest scores, ascending; of equal ones the lower index is taken, NaN is taken last. Returns their number, at most the scores' and
    /// the destination's.
    /// </summary>
    public static int Select(ReadOnlySpan<float> scores, Span<int> indices)
    {
        int count = Math.Min(scores.Length, indices.Length);
        if (count == 0)
            return 0;
        uint threshold = KeyOfRank(scores, count, out int fromEqual);
        int taken = 0;
        for (int i = NextWithin(scores, 0, threshold, uint.MaxValue); i < scores.Length; i = NextWithin(scores, i, threshold, uint.MaxValue))
        {
            for (int end = Math.Min(scores.Length, i + Vector<float>.Count); i < end; i++)
            {
                uint key = Key(scores[i]);
                if (key > threshold || (key == threshold && fromEqual-- > 0))
                    indices[taken++] = i;
            }
        }
        return taken;
    }

    /// <summary>Sets all but the largest to 0.</summary>
    public static void KeepLargest(Span<float> scores, int count)
    {
        if (count >= scores.Length)
            return;
        if (count == 0)
        {
            scores.Clear();
            return;
        }
        uint threshold = KeyOfRank(scores, count, out int fromEqual);
        foreach (ref float score in scores)
        {
            uint key = Key(score);
            if (key < threshold || (key == threshold && fromEqual-- <= 0))
                score = 0;
        }
    }

    // The key of the count-th largest score, bits from the top down, and how many with this very key are among the largest.
    private static uint KeyOfRank(ReadOnlySpan<float> scores, int count, out int fromEqual) =>
        scores.Length <= LargestCounted ? CountedKeyOfRank(scores, count, out fromEqual) : RadixKeyOfRank(scores, count, out fromEqual);

    // The largest key that count scores reach, bit after bit: keys as integers with sign, so that registers of them are compared at once.
    [SkipLocalsInit]
    private static uint CountedKeyOfRank(ReadOnlySpan<float> scores, int count, out int fromEqual)
    {
        Span<int> keys = stackalloc int[LargestCounted];
        keys = keys[..scores.Length];
        for (int i = 0; i < keys.Length; i++)
            keys[i] = (int)(Key(scores[i]) ^ SignBit);
        int threshold = int.MinValue;
        for (uint bit = SignBit; bit != 0; bit >>= 1)
        {
            int candidate = (int)((uint)threshold ^ bit);
            if (CountFrom(keys, candidate) >= count)
                threshold = candidate;
        }
        fromEqual = count - (threshold == int.MaxValue ? 0 : CountFrom(keys, threshold + 1));
        return (uint)threshold ^ SignBit;
    }

    // How many keys are at least this large.
    private static int CountFrom(ReadOnlySpan<int> keys, int least)
    {
        var bound = new Vector<int>(least);
        Vector<int> counts = default;
        int i = 0;
        for (; i + Vector<int>.Count <= keys.Length; i += Vector<int>.Count)
            counts -= Vector.GreaterThanOrEqual(new Vector<int>(keys[i..]), bound);
        int count = Vector.Sum(counts);
        for (; i < keys.Length; i++)
            count += keys[i] >= least ? 1 : 0;
        return count;
    }

    private static uint RadixKeyOfRank(ReadOnlySpan<float> scores, int count, out int fromEqual)
    {
        Span<int> histogram = stackalloc int[1 << StepBits];
        ulong known = 0;
        int rank = count;
        for (int unknownBits = KeyBits; unknownBits > 0;)
        {
            int bits = Math.Min(StepBits, unknownBits), shift = unknownBits - bits;
            histogram.Clear();
            var least = (uint)(known << unknownBits);
            uint largest = least | (uint)((1UL << unknownBits) - 1);
            for (int i = NextWithin(scores, 0, least, largest); i < scores.Length; i = NextWithin(scores, i, least, largest))
            {
                for (int end = Math.Min(scores.Length, i + Vector<float>.Count); i < end; i++)
                {
                    ulong key = Key(scores[i]);
                    if (key >> unknownBits == known)
                        histogram[(int)(key >> shift) & ((1 << bits) - 1)]++;
                }
            }
            int bucket = (1 << bits) - 1;
            for (; histogram[bucket] < rank; bucket--)
                rank -= histogram[bucket];
            known = (known << bits) | (uint)bucket;
            unknownBits = shift;
        }
        fromEqual = rank;
        return (uint)known;
    }

    // From index i on, passes registers of scores without a key from the least to the largest. A NaN, among the scores or as a bound, is within: such registers
    // are looked at.
    private static int NextWithin(ReadOnlySpan<float> scores, int i, uint least, uint largest)
    {
        var low = new Vector<float>(Score(least));
        var high = new Vector<float>(Score(largest));
        for (; i + Vector<float>.Count <= scores.Length; i += Vector<float>.Count)
        {
            var some = new Vector<float>(scores[i..]);
            if (!Vector.EqualsAll(Vector.LessThan(some, low) | Vector.GreaterThan(some, high), Vector<int>.AllBitsSet))
                break;
        }
        return i;
    }

    // The score of a key: what Key makes of it is the key again, NaN apart.
    private static float Score(uint key) => BitConverter.UInt32BitsToSingle((key & SignBit) != 0 ? key ^ SignBit : ~key);

    // Ascending with the score; -0 as 0, NaN lowest.
    private static uint Key(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        return float.IsNaN(score) ? 0 : (bits & SignBit) != 0 ? ~bits : bits | SignBit;
    }
}
