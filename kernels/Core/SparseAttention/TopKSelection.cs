namespace Kernels;

/// <summary>Exact selection of the largest of many scores: radix selection of the k-th largest, then one pass in order.</summary>
internal static class TopKSelection
{
    // Three steps; a histogram of 8 KiB stays in level 1.
    private const int KeyBits = 32, StepBits = 11;

    /// <summary>The indices of the largest scores, ascending; of equal ones the lower index is taken, NaN is taken last. Returns their number, at most the scores' and the destination's.</summary>
    public static int Select(ReadOnlySpan<float> scores, Span<int> indices)
    {
        int count = Math.Min(scores.Length, indices.Length);
        if (count == 0)
            return 0;
        uint threshold = KeyOfRank(scores, count, out int fromEqual);
        int taken = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            uint key = Key(scores[i]);
            if (key > threshold || (key == threshold && fromEqual-- > 0))
                indices[taken++] = i;
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
    private static uint KeyOfRank(ReadOnlySpan<float> scores, int count, out int fromEqual)
    {
        Span<int> histogram = stackalloc int[1 << StepBits];
        ulong known = 0;
        int rank = count;
        for (int unknownBits = KeyBits; unknownBits > 0;)
        {
            int bits = Math.Min(StepBits, unknownBits), shift = unknownBits - bits;
            histogram.Clear();
            foreach (float score in scores)
            {
                ulong key = Key(score);
                if (key >> unknownBits == known)
                    histogram[(int)(key >> shift) & ((1 << bits) - 1)]++;
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

    // Ascending with the score; -0 as 0, NaN lowest.
    private static uint Key(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        return float.IsNaN(score) ? 0 : (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }
}
