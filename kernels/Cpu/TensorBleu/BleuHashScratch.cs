using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// A lane of the workspace as the hash variant divides it. Layout: slots of the table, then 32-bit numbers: ids of the group's tokens, counts, counts in
/// the reference at hand, last references, ids of the candidate's tokens, and in front of all, the stamp last given out.
/// </summary>
internal readonly unsafe struct BleuHashScratch
{
    private const int HeaderBytes = 64;
    private const int ArraysPerGroupToken = 4;

    private readonly uint* _lastStamp;
    private readonly NgramSlot* _slots;
    private readonly int _capacityLog2;

    public readonly int* ReferenceIds, Counts, CurrentCounts, LastReferences, CandidateIds;

    public BleuHashScratch(byte* lane, int largestGroup)
    {
        _lastStamp = (uint*)lane;
        _capacityLog2 = NgramTable.CapacityLog2(largestGroup);
        _slots = (NgramSlot*)(lane + HeaderBytes);
        ReferenceIds = (int*)(_slots + (1L << _capacityLog2));
        Counts = ReferenceIds + largestGroup;
        CurrentCounts = Counts + largestGroup;
        LastReferences = CurrentCounts + largestGroup;
        CandidateIds = LastReferences + largestGroup;
    }

    /// <summary>The bytes of a lane.</summary>
    public static long Bytes(int largestGroup, int longestCandidate) =>
        HeaderBytes + ((long)sizeof(NgramSlot) << NgramTable.CapacityLog2(largestGroup)) + sizeof(int) * ((long)ArraysPerGroupToken * largestGroup + longestCandidate);

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
