using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// The indexes of all groups and orders of a set of references, built once, for any number of candidates. Read-only afterwards, and so shared freely.
/// </summary>
/// <remarks>Memory: for each order, 28 to 36 bytes for each reference token.</remarks>
internal sealed unsafe class PreparedNgrams<T> where T : unmanaged, IBinaryInteger<T>
{
    private readonly ulong[] _keys;
    private readonly int[] _nexts, _limits, _singles, _tokens, _slots;
    private readonly int[] _firstTokens;
    private readonly PreparedIndex[] _indexes;

    public PreparedNgrams(in BleuRows<T> rows, int groupCount)
    {
        _indexes = new PreparedIndex[Places((long)groupCount * rows.OrderCount)];
        OrderCount = rows.OrderCount;
        _firstTokens = new int[groupCount];
        (int numbers, int slots, int tokens) = LayOut(rows, groupCount);
        _keys = GC.AllocateArray<ulong>(numbers, pinned: true);
        _nexts = GC.AllocateArray<int>(numbers, pinned: true);
        _limits = GC.AllocateArray<int>(numbers, pinned: true);
        _singles = GC.AllocateArray<int>(numbers, pinned: true);
        _tokens = GC.AllocateArray<int>(tokens + NgramRuns.Reach, pinned: true);
        _slots = GC.AllocateArray<int>(slots, pinned: true);
        Fill(rows, groupCount);
    }

    public int OrderCount { get; }

    /// <summary>The n-grams of one order of one group, each limited to its largest count.</summary>
    public NgramIndex Index(int group, int order) => Open(_indexes[group * OrderCount + order - 1]);

    /// <summary>The numbers of the tokens of one group, by place.</summary>
    public int* Tokens(int group) => At(_tokens, _firstTokens[group]);

    private NgramIndex Open(in PreparedIndex index) =>
        new(At(_keys, index.FirstNumber), At(_nexts, index.FirstNumber), At(_limits, index.FirstNumber), At(_singles, index.FirstNumber),
        At(_slots, index.FirstSlot), index.Count);

    // Number 0 of each index, no n-gram, has its place too.
    private (int Numbers, int Slots, int Tokens) LayOut(in BleuRows<T> rows, int groupCount)
    {
        long numbers = 0, slots = 0, places = 0;
        for (int group = 0; group < groupCount; group++)
        {
            int tokens = 0;
            (int begin, int end) = rows.Group(group);
            for (int reference = begin; reference < end; reference++)
                tokens += rows.References[reference].Length;
            _firstTokens[group] = Places(places);
            places += (long)tokens + end - begin;
            for (int order = 0; order < rows.OrderCount; order++)
            {
                _indexes[group * rows.OrderCount + order] = new PreparedIndex(Places(numbers), Places(slots), 0);
                numbers += tokens + 1L;
                slots += NgramIndex.SlotCount(tokens);
            }
        }
        return (Places(numbers), Places(slots), Places(places));
    }

    private static int Places(long count) => BleuChecks.Places(count, "references");

    private void Fill(in BleuRows<T> rows, int groupCount)
    {
        int size = rows.LargestGroup + 1;
        var list = new ulong[size];
        var pending = new int[size];
        var tallies = new NgramTally[size];
        fixed (ulong* listPointer = list)
        fixed (int* pendingPointer = pending)
        fixed (NgramTally* tallyPointer = tallies)
        {
            for (int group = 0; group < groupCount; group++)
            {
                var places = new NgramPlaces(Tokens(group), listPointer);
                for (int order = 1; order <= rows.OrderCount; order++)
                {
                    NgramIndex index = Build(rows, group, order, ref places, pendingPointer);
                    Limit(rows, group, index, places, tallyPointer);
                }
            }
        }
    }

    private NgramIndex Build(in BleuRows<T> rows, int group, int order, ref NgramPlaces places, int* pending)
    {
        ref PreparedIndex prepared = ref _indexes[group * OrderCount + order - 1];
        ulong* keys = At(_keys, prepared.FirstNumber) + 1;
        (int begin, int end) = rows.Group(group);
        if (order == 1)
            places.Begin(rows, rows.References, begin, end, NgramPlaces.IndexedGap, keys);
        else
            places.Extend(order, keys);
        prepared = prepared with { Count = places.Count };
        NgramIndex index = Open(prepared);
        index.Build(ref places, pending, order == 1 ? places.Tokens : pending);
        return index;
    }

    // An n-gram may match as often as it occurs in the reference that has most of it. Only of repeated ones is that not known yet.
    private static void Limit(in BleuRows<T> rows, int group, in NgramIndex index, in NgramPlaces places, NgramTally* tallies)
    {
        (int begin, int end) = rows.Group(group);
        new Span<NgramTally>(tallies, index.Count + 1).Clear();
        NgramTally.CountAll(rows.References, begin, end, places, index, tallies);
        for (int number = 1; number <= index.Count; number++)
        {
            if (index.Singles[number] < 0)
                index.Limits[number] = tallies[number].Most;
        }
    }

    private static TElement* At<TElement>(TElement[] pinned, int index) where TElement : unmanaged =>
        (TElement*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, index);

    private readonly record struct PreparedIndex(int FirstNumber, int FirstSlot, int Count);
}
