namespace Kernels.Cpu;

/// <summary>
/// A lane of the workspace as the hash variant divides it. Layout: keys of the index and of what is looked up in it, tallies, then 32-bit numbers: the
/// rest of the index, ids and places of both sides, what is pending, and the slots.
/// </summary>
internal readonly unsafe struct BleuHashScratch
{
    private const int KeyArrays = 2, NumberArrays = 7;

    private readonly int* _nexts, _limits, _slots;

    /// <summary>Keys of the index, by number; those of the places listed begin at element 1.</summary>
    public readonly ulong* IndexKeys;

    public readonly ulong* Keys;
    public readonly NgramTally* Tallies;
    public readonly int* Pending;

    /// <summary>Of the sequence that is indexed, and of those that are looked up.</summary>
    public readonly NgramPlaces Indexed, Sought;

    public BleuHashScratch(byte* lane, int largestGroup, int longestCandidate)
    {
        int places = PlaceCount(largestGroup, longestCandidate);
        IndexKeys = (ulong*)lane;
        Keys = IndexKeys + places;
        Tallies = (NgramTally*)(Keys + places);
        _nexts = (int*)(Tallies + places);
        _limits = _nexts + places;
        Indexed = new NgramPlaces(_limits + places, _limits + 2L * places);
        Sought = new NgramPlaces(_limits + 3L * places, _limits + 4L * places);
        Pending = _limits + 5L * places;
        _slots = Pending + places;
    }

    /// <summary>The bytes of a lane.</summary>
    public static long Bytes(int largestGroup, int longestCandidate)
    {
        int places = PlaceCount(largestGroup, longestCandidate);
        return (KeyArrays * (long)sizeof(ulong) + sizeof(NgramTally) + NumberArrays * (long)sizeof(int)) * places + sizeof(int) * NgramIndex.SlotCount(places);
    }

    /// <summary>An index of so many n-grams, whose keys are there.</summary>
    public NgramIndex Index(int count) => new(IndexKeys, _nexts, _limits, _slots, count);

    // A place behind the last token of each sequence is among those of the group; the candidate has one, and number 0 is one more.
    private static int PlaceCount(int largestGroup, int longestCandidate) => checked(Math.Max(largestGroup, longestCandidate + 1) + 1);
}
