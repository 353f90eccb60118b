using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// What ILGPU compiles of BLEU. An n-gram of the candidate is a match if fewer equal ones stand before it than some reference has of it: the number of matches
/// is the sum over distinct n-grams of the smaller of both counts, and needs neither a table nor atomic operations. Counts are exact and depend on no order.
/// </summary>
internal static class BleuGpuKernels
{
    /// <summary>One group for one candidate and one order; thread t takes the n-grams at t, t + g, t + 2g ... of a group of g.</summary>
    /// <param name="candidates">The candidates' tokens.</param>
    /// <param name="candidateRanges">[candidates][2]: where each begins and ends.</param>
    /// <param name="references">The references' tokens.</param>
    /// <param name="referenceRanges">[references][2].</param>
    /// <param name="groupOffsets">[candidates + 1]: which references are a candidate's.</param>
    /// <param name="matches">[candidates from <paramref name="firstCandidate"/> on][orders].</param>
    /// <param name="firstCandidate">The first candidate of the launch.</param>
    /// <param name="orderCount">The number of orders.</param>
    public static void CountMatches(
        ArrayView<int> candidates, ArrayView<int> candidateRanges, ArrayView<int> references, ArrayView<int> referenceRanges, ArrayView<int> groupOffsets,
        ArrayView<int> matches,
        int firstCandidate, int orderCount)
    {
        int candidate = firstCandidate + Grid.IdxX / orderCount, order = Grid.IdxX % orderCount + 1;
        int begin = candidateRanges[2 * candidate], end = candidateRanges[2 * candidate + 1] - order + 1;
        int firstReference = groupOffsets[candidate], endReference = groupOffsets[candidate + 1], count = 0;
        for (int place = begin + Group.IdxX; place < end; place += Group.DimX)
        {
            int most = 0;
            for (int reference = firstReference; reference < endReference; reference++)
            {
                int last = referenceRanges[2 * reference + 1] - order + 1;
                most = IntrinsicMath.Max(most, Occurrences(candidates, place, references, referenceRanges[2 * reference], last, order, int.MaxValue));
            }
            if (most > 0 && Occurrences(candidates, place, candidates, begin, place, order, most) < most)
                count++;
        }
        int sum = GpuGroup.Sum(count, SharedMemory.Allocate<int>(GpuGroup.MaxSize));
        if (Group.IdxX == 0)
            matches[Grid.IdxX] = sum;
    }

    // How often the n-gram at a place of the candidate begins within [first, end) of a text; counts no further than enough.
    private static int Occurrences(ArrayView<int> candidates, int place, ArrayView<int> text, int first, int end, int order, int enough)
    {
        int count = 0;
        for (int other = first; other < end && count < enough; other++)
        {
            int equal = 0;
            while (equal < order && candidates[place + equal] == text[other + equal])
                equal++;
            count += equal == order ? 1 : 0;
        }
        return count;
    }
}
