using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// A lane of the workspace as the hash variant divides it. Layout: the stamp last given out; slots of the table; then 32-bit numbers: four for each n-gram of
/// the longer side, and the ids of the references' and of the candidate's tokens. The four arrays have an element -1, for tokens without an n-gram in the
/// table: whether there is one is as good as random, and an index of -1 costs less than a branch that guesses wrong.
/// </summary>
internal readonly unsafe struct BleuHashScratch
{
    private const int HeaderBytes = 64;
    private const int NumbersPerNgram = 4;

    private readonly uint* _lastStamp;
    private readonly NgramSlot* _slots;
    private readonly int _capacityLog2;

    public readonly int* Counts, CurrentCounts, LargestCounts, LastReferences, ReferenceIds, CandidateIds;

    public BleuHashScratch(byte* lane, int largestGroup, int longestCandidate)
    {
        int longest = Math.Max(largestGroup, longestCandidate);
        _lastStamp = (uint*)lane;
        _capacityLog2 = NgramTable.CapacityLog2(longest);
        _slots = (NgramSlot*)(lane + HeaderBytes);
        Counts = (int*)(_slots + (1L << _capacityLog2)) + 1;
        CurrentCounts = Counts + longest + 1;
        LargestCounts = CurrentCounts + longest + 1;
        LastReferences = LargestCounts + longest + 1;
        ReferenceIds = LastReferences + longest;
        CandidateIds = ReferenceIds + largestGroup;
    }

    /// <summary>The bytes of a lane.</summary>
    public static long Bytes(int largestGroup, int longestCandidate)
    {
        int longest = Math.Max(largestGroup, longestCandidate);
        return HeaderBytes + ((long)sizeof(NgramSlot) << NgramTable.CapacityLog2(longest)) + sizeof(int) * (NumbersPerNgram * (longest + 1L) + largestGroup + longestCandidate);
    }

    /// <summary>An empty table for so many n-grams.</summary>
    public NgramTable EmptyTable(int ngramCount)
    {
        if (++*_lastStamp == 0)
        {
            NativeMemory.Clear(_slots, (nuint)sizeof(NgramSlot) << _capacityLog2);
            *_lastStamp = 1;
        }
        return new NgramTable(_slots, NgramTable.CapacityLog2(ngramCount), *_lastStamp);
    }
}
