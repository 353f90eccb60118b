namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// A lane of the workspace as the hash variant divides it. Layout: keys of the index and of what is sought in it, lists of places, tallies, then 32-bit
/// numbers: the rest of the index, tokens of both sides, what is pending, counts of tokens, and the slots.
/// </summary>
internal readonly unsafe struct BleuHashScratch
{
    private const int WideArrays = 5, NumberArrays = 6;

    private readonly int* _nexts, _limits, _singles, _slots;

    /// <summary>Keys of the index, by number; those of the places listed begin at element 1.</summary>
    public readonly ulong* IndexKeys;

    public readonly ulong* Keys, Once;
    public readonly NgramTally* Tallies;
    public readonly int* Pending;
    public readonly TokenCounts TokenCounts;

    /// <summary>Of what is indexed, and of what is sought.</summary>
    public readonly NgramPlaces Indexed, Sought;

    public BleuHashScratch(byte* lane, int largestGroup, int longestCandidate)
    {
        long places = PlaceCount(largestGroup, longestCandidate);
        IndexKeys = (ulong*)lane;
        Keys = IndexKeys + places;
        Once = Keys + places;
        ulong* lists = Once + places;
        Tallies = (NgramTally*)(lists + 2 * places);
        _nexts = (int*)(Tallies + places);
        _limits = _nexts + places;
        _singles = _limits + places;
        int* tokens = _singles + places;
        Indexed = new NgramPlaces(tokens, lists);
        Sought = new NgramPlaces(tokens + places, lists + places);
        Pending = tokens + 2 * places;
        TokenCounts = new TokenCounts(Pending + places);
        _slots = Pending + places + TokenCounts.Length;
    }

    /// <summary>The bytes of a lane.</summary>
    public static long Bytes(int largestGroup, int longestCandidate)
    {
        int places = PlaceCount(largestGroup, longestCandidate);
        return (WideArrays * (long)sizeof(ulong) + sizeof(NgramTally) + NumberArrays * (long)sizeof(int)) * places + sizeof(int)
            * (TokenCounts.Length + NgramIndex.SlotCount(places));
    }

    /// <summary>An index of so many n-grams, whose keys are there.</summary>
    public NgramIndex Index(int count) => new(IndexKeys, _nexts, _limits, _singles, _slots, count);

    // The group's places have a gap for each reference, the candidate one.
    private static int PlaceCount(int largestGroup, int longestCandidate) => checked(Math.Max(largestGroup, longestCandidate + 1) + NgramRuns.Reach);
}
