using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// The indexes of all groups and orders of a set of references, built once, for any number of candidates. Read-only afterwards, and so shared freely.
/// </summary>
/// <remarks>Memory: for each order, 24 to 32 bytes for each reference token.</remarks>
internal sealed unsafe class PreparedNgrams<T> where T : unmanaged, IBinaryInteger<T>
{
    private readonly ulong[] _keys;
    private readonly int[] _nexts, _limits, _slots;
    private readonly PreparedIndex[] _indexes;

    public PreparedNgrams(in BleuRows<T> rows, int groupCount)
    {
        _indexes = new PreparedIndex[(long)groupCount * rows.OrderCount];
        OrderCount = rows.OrderCount;
        (int numbers, int slots) = LayOut(rows, groupCount);
        _keys = GC.AllocateArray<ulong>(numbers, pinned: true);
        _nexts = GC.AllocateArray<int>(numbers, pinned: true);
        _limits = GC.AllocateArray<int>(numbers, pinned: true);
        _slots = GC.AllocateArray<int>(slots, pinned: true);
        Fill(rows, groupCount);
    }

    public int OrderCount { get; }

    /// <summary>The n-grams of one order of one group, each limited to its largest count.</summary>
    public NgramIndex Index(int group, int order) => Open(_indexes[group * OrderCount + order - 1]);

    private NgramIndex Open(in PreparedIndex index) =>
        new(At(_keys, index.FirstNumber), At(_nexts, index.FirstNumber), At(_limits, index.FirstNumber), At(_slots, index.FirstSlot), index.Count);

    // Number 0 of each index, no n-gram, has its place too.
    private (int Numbers, int Slots) LayOut(in BleuRows<T> rows, int groupCount)
    {
        int numbers = 0, slots = 0;
        for (int group = 0; group < groupCount; group++)
        {
            int tokens = 0;
            (int begin, int end) = rows.Group(group);
            for (int reference = begin; reference < end; reference++)
                tokens += rows.References[reference].Length;
            for (int order = 0; order < rows.OrderCount; order++)
            {
                _indexes[group * rows.OrderCount + order] = new PreparedIndex(numbers, slots, 0);
                numbers = checked(numbers + tokens + 1);
                slots = checked(slots + (int)NgramIndex.SlotCount(tokens));
            }
        }
        return (numbers, slots);
    }

    private void Fill(in BleuRows<T> rows, int groupCount)
    {
        int size = rows.LargestGroup + 1;
        int[] ids = new int[size], list = new int[size], pending = new int[size];
        var tallies = new NgramTally[size];
        fixed (int* idPointer = ids, listPointer = list, pendingPointer = pending)
        fixed (NgramTally* tallyPointer = tallies)
        {
            for (int group = 0; group < groupCount; group++)
            {
                var places = new NgramPlaces(idPointer, listPointer);
                (int begin, int end) = rows.Group(group);
                for (int order = 1; order <= rows.OrderCount; order++)
                {
                    ref PreparedIndex prepared = ref _indexes[group * rows.OrderCount + order - 1];
                    ulong* keys = At(_keys, prepared.FirstNumber) + 1;
                    if (order == 1)
                        places.Begin(rows, rows.References, begin, end, keys);
                    else
                        places.Extend(keys);
                    prepared = prepared with { Count = places.Count };
                    NgramIndex index = Open(prepared);
                    index.Build(places, pendingPointer);
                    NgramTally.CountAll(rows.References, begin, end, places, index, tallyPointer);
                    for (int number = 1; number <= index.Count; number++)
                        index.Limits[number] = tallyPointer[number].Most;
                }
            }
        }
    }

    private static TElement* At<TElement>(TElement[] pinned, int index) where TElement : unmanaged =>
        (TElement*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, index);

    private readonly record struct PreparedIndex(int FirstNumber, int FirstSlot, int Count);
}
