using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// The tables of all groups and orders of a set of references, filled once, for any number of candidates. Read-only afterwards, and so shared freely.
/// </summary>
/// <remarks>Memory: for each order, 32 to 64 bytes of slots and 4 bytes of counts for each reference token.</remarks>
internal sealed unsafe class PreparedNgrams<T> where T : unmanaged, IBinaryInteger<T>
{
    // Slots are made as zeros, and so empty for this stamp.
    private const uint Stamp = 1;

    private readonly NgramSlot[] _slots;
    private readonly int[] _counts;
    private readonly PreparedTable[] _tables;

    public PreparedNgrams(in BleuRows<T> rows, int groupCount)
    {
        _tables = new PreparedTable[(long)groupCount * rows.OrderCount];
        OrderCount = rows.OrderCount;
        (long slotCount, long countCount) = LayOut(rows, groupCount);
        _slots = GC.AllocateArray<NgramSlot>(checked((int)slotCount), pinned: true);
        _counts = GC.AllocateArray<int>(checked((int)countCount), pinned: true);
        Fill(rows, groupCount);
    }

    public int OrderCount { get; }

    /// <summary>The table of one order of one group, and its n-grams' largest counts.</summary>
    public NgramTable Table(int group, int order, out ReadOnlySpan<int> counts)
    {
        ref readonly PreparedTable table = ref _tables[group * OrderCount + order - 1];
        counts = _counts.AsSpan(table.CountOffset, table.Distinct);
        return Open(table);
    }

    private NgramTable Open(in PreparedTable table) =>
        new((NgramSlot*)Marshal.UnsafeAddrOfPinnedArrayElement(_slots, table.SlotOffset), table.CapacityLog2, Stamp);

    private (long Slots, long Counts) LayOut(in BleuRows<T> rows, int groupCount)
    {
        long slots = 0, counts = 0;
        for (int group = 0; group < groupCount; group++)
        {
            int tokens = new ReferenceNgrams<T>(rows, group, null, null, null).TokenCount, capacity = NgramTable.CapacityLog2(tokens);
            for (int order = 0; order < rows.OrderCount; order++)
            {
                _tables[group * rows.OrderCount + order] = new PreparedTable(checked((int)slots), checked((int)counts), capacity, 0);
                slots += 1L << capacity;
                counts += tokens;
            }
        }
        return (slots, counts);
    }

    private void Fill(in BleuRows<T> rows, int groupCount)
    {
        int[] ids = new int[rows.LargestGroup], current = new int[rows.LargestGroup], lastReferences = new int[rows.LargestGroup];
        fixed (int* idPointer = ids, currentPointer = current, lastPointer = lastReferences, counts = _counts)
        {
            for (int group = 0; group < groupCount; group++)
            {
                var references = new ReferenceNgrams<T>(rows, group, idPointer, currentPointer, lastPointer);
                for (int order = 1; order <= rows.OrderCount; order++)
                {
                    ref PreparedTable table = ref _tables[group * rows.OrderCount + order - 1];
                    NgramTable open = Open(table);
                    references.Add(order, ref open, counts + table.CountOffset);
                    table = table with { Distinct = open.Count };
                }
            }
        }
    }

    private readonly record struct PreparedTable(int SlotOffset, int CountOffset, int CapacityLog2, int Distinct);
}
