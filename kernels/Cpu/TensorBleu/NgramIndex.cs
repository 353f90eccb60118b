using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// The n-grams of one order of one or several sequences, found by key. Layout: for each n-gram, numbered from 1, its key, the next n-gram of its chain (0
/// at the end), how often it may match, and its place if it has but one; for each hash value, the number of one n-gram that has it. Number 0 is no n-gram.
/// </summary>
/// <remarks>
/// Keys are compared in full, so no two n-grams are ever taken for one. Slots are never cleared: one left from an earlier sentence names a number, and
/// what stands at that number is compared with the key like anything else. The loops hold no branch that depends on the data: a mispredicted one
/// costs as much as handling several n-grams. What does not come out at the first look, some tenth, is written to a list and done after.
/// </remarks>
internal readonly unsafe struct NgramIndex
{
    /// <summary>2^64 divided by the golden ratio: multiples of it spread evenly over the top bits (Knuth, TAOCP 3, 6.4).</summary>
    private const ulong GoldenMultiplier = 0x9E37_79B9_7F4A_7C15;

    private const int KeyBits = 64;

    /// <summary>Two to four slots for each n-gram: a slot then has two different ones for 3 to 9 % of the keys looked up.</summary>
    private const int SlotsPerNgramLog2 = 2;

    private readonly ulong* _keys;
    private readonly int* _nexts, _slots;
    private readonly int _shift;

    /// <param name="keys">[count + 1]; those of numbers 1 to count are there before <see cref="Build"/>.</param>
    /// <param name="nexts">[count + 1].</param>
    /// <param name="limits">[count + 1].</param>
    /// <param name="singles">[count + 1].</param>
    /// <param name="slots">[<see cref="SlotCount"/>]; any numbers within the arrays above.</param>
    /// <param name="count">The number of n-grams, repeated ones counted again.</param>
    public NgramIndex(ulong* keys, int* nexts, int* limits, int* singles, int* slots, int count)
    {
        _keys = keys;
        _nexts = nexts;
        Limits = limits;
        Singles = singles;
        _slots = slots;
        _shift = KeyBits - CapacityLog2(count);
        Count = count;
    }

    public int Count { get; }

    /// <summary>How often each n-gram may match, by number; 0 for number 0.</summary>
    public int* Limits { get; }

    /// <summary>The place of each n-gram that occurs once, by number; -1 for all others and for number 0.</summary>
    public int* Singles { get; }

    /// <summary>The number of slots for so many n-grams.</summary>
    public static long SlotCount(int count) => 1L << CapacityLog2(count);

    /// <summary>
    /// Enters the n-grams that begin at some places, makes limits of how often each occurs, and keeps the places of those that occur more than once.
    /// </summary>
    /// <param name="places">As many as n-grams, in the order of their keys; receives their numbers.</param>
    /// <param name="pending">[count], scratch.</param>
    /// <param name="numbers">[places of the sequences]: receives, at each place listed, its number.</param>
    public void Build(ref NgramPlaces places, int* pending, int* numbers)
    {
        new Span<int>(Limits, Count + 1).Clear();
        new Span<int>(_nexts, Count + 1).Clear();
        int pendingCount = Enter(places.List, pending);
        for (int i = 0; i < pendingCount; i++)
        {
            int number = FindOrChain(pending[i]);
            ulong* entry = places.List + pending[i] - 1;
            *entry = NgramPlaces.Entry(NgramPlaces.Place(*entry), number);
            Limits[number]++;
        }
        places.Count = KeepRepeated(places.List, numbers);
    }

    /// <summary>Tells some places the numbers of the n-grams that begin there; 0 for those not in the index.</summary>
    /// <param name="places">The places.</param>
    /// <param name="wanted">Their keys.</param>
    /// <param name="pending">[places], scratch.</param>
    public void Find(in NgramPlaces places, ulong* wanted, int* pending)
    {
        int pendingCount = FindHeads(wanted, places.List, places.Count, pending);
        for (int i = 0; i < pendingCount; i++)
        {
            ulong* entry = places.List + pending[i];
            *entry = NgramPlaces.Entry(NgramPlaces.Place(*entry), FindInChain(wanted[pending[i]]));
        }
    }

    // Numbers that are not those of the key are corrected later.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int Enter(ulong* list, int* pending)
    {
        ulong* keys = _keys;
        int* slots = _slots, limits = Limits;
        int count = Count, shift = _shift, pendingCount = 0;
        // The last n-gram of each hash value stays.
        for (int number = 1; number <= count; number++)
            slots[keys[number] * GoldenMultiplier >> shift] = number;
        list--;
        for (int number = 1; number <= count; number++)
        {
            ulong key = keys[number];
            int head = slots[key * GoldenMultiplier >> shift], isEqual = keys[head] == key ? 1 : 0;
            limits[head] += isEqual;
            list[number] = NgramPlaces.Entry(NgramPlaces.Place(list[number]), head);
            pending[pendingCount] = number;
            pendingCount += 1 - isEqual;
        }
        return pendingCount;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int FindHeads(ulong* wanted, ulong* list, int listCount, int* pending)
    {
        ulong* keys = _keys;
        int* slots = _slots, nexts = _nexts;
        int shift = _shift, pendingCount = 0;
        uint count = (uint)Count;
        for (int i = 0; i < listCount; i++)
        {
            ulong key = wanted[i];
            uint head = (uint)slots[key * GoldenMultiplier >> shift];
            int isInside = head <= count ? 1 : 0, isEqual = isInside & (keys[head] == key ? 1 : 0);
            list[i] = NgramPlaces.Entry(NgramPlaces.Place(list[i]), (int)head & -isEqual);
            pending[pendingCount] = i;
            pendingCount += (isInside - isEqual) & (nexts[head] != 0 ? 1 : 0);
        }
        return pendingCount;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int KeepRepeated(ulong* list, int* numbers)
    {
        int* limits = Limits, singles = Singles;
        int count = Count, kept = 0;
        singles[0] = -1;
        for (int i = 0; i < count; i++)
        {
            ulong entry = list[i];
            int number = NgramPlaces.Number(entry), place = NgramPlaces.Place(entry), isRepeated = limits[number] != 1 ? 1 : 0;
            singles[number] = place | -isRepeated;
            numbers[place] = number;
            list[kept] = entry;
            kept += isRepeated;
        }
        return kept;
    }

    // A sequence has a few n-grams less than tokens: what is just below a power of two counts as one, as its tokens do.
    private static int CapacityLog2(int count) => BitOperations.Log2((uint)count + BleuOptions.LargestOrder) + SlotsPerNgramLog2;

    private int FindInChain(ulong key)
    {
        int number = _slots[key * GoldenMultiplier >> _shift];
        while (number != 0 && _keys[number] != key)
            number = _nexts[number];
        return number;
    }

    private int FindOrChain(int number)
    {
        ulong key = _keys[number];
        int last = _slots[key * GoldenMultiplier >> _shift];
        for (int next = _nexts[last]; next != 0; next = _nexts[last])
        {
            if (_keys[next] == key)
                return next;
            last = next;
        }
        return _nexts[last] = number;
    }
}
