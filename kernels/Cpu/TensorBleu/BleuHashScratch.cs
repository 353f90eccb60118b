namespace Kernels.Cpu;

/// <summary>
/// A lane of the workspace as the hash variant divides it. Layout: keys of the index and of what is sought in it, tallies, then 32-bit numbers: the rest
/// of the index, places of both sides, what is pending or put aside, and the slots.
/// </summary>
internal readonly unsafe struct BleuHashScratch
{
    private const int KeyArrays = 2, NumberArrays = 11;

    private readonly int* _nexts, _limits, _singles, _slots;

    /// <summary>Keys of the index, by number; those of the places listed begin at element 1.</summary>
    public readonly ulong* IndexKeys;

    public readonly ulong* Keys;
    public readonly NgramTally* Tallies;
    public readonly int* Pending, OnceNumbers;

    /// <summary>Of what is indexed, and of what is sought.</summary>
    public readonly NgramPlaces Indexed, Sought;

    public BleuHashScratch(byte* lane, int largestGroup, int longestCandidate)
    {
        long places = PlaceCount(largestGroup, longestCandidate);
        IndexKeys = (ulong*)lane;
        Keys = IndexKeys + places;
        Tallies = (NgramTally*)(Keys + places);
        _nexts = (int*)(Tallies + places);
        _limits = _nexts + places;
        _singles = _limits + places;
        int* rest = _singles + places;
        Indexed = new NgramPlaces(rest, rest + places, rest + 2 * places);
        Sought = new NgramPlaces(rest + 3 * places, rest + 4 * places, rest + 5 * places);
        Pending = rest + 6 * places;
        OnceNumbers = Pending + places;
        _slots = OnceNumbers + places;
    }

    /// <summary>The bytes of a lane.</summary>
    public static long Bytes(int largestGroup, int longestCandidate)
    {
        int places = PlaceCount(largestGroup, longestCandidate);
        return (KeyArrays * (long)sizeof(ulong) + sizeof(NgramTally) + NumberArrays * (long)sizeof(int)) * places + sizeof(int) * NgramIndex.SlotCount(places);
    }

    /// <summary>An index of so many n-grams, whose keys are there.</summary>
    public NgramIndex Index(int count) => new(IndexKeys, _nexts, _limits, _singles, _slots, count);

    // The group's places have a gap for each reference, the candidate one.
    private static int PlaceCount(int largestGroup, int longestCandidate) => checked(Math.Max(largestGroup, longestCandidate + 1) + NgramRuns.Reach);
}
