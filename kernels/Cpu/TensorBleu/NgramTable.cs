using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>A place of an <see cref="NgramTable"/>; taken if its stamp is the table's.</summary>
internal struct NgramSlot
{
    public ulong Key;
    public uint Stamp;
    public int Id;
}

/// <summary>
/// The n-grams of one order of one group of references, numbered 0, 1, 2 ... as they come: open addressing with linear probing, at most half full. Keys
/// are compared in full, so no two n-grams are ever taken for one. A new stamp empties the table without touching it.
/// </summary>
internal unsafe struct NgramTable(NgramSlot* slots, int capacityLog2, uint stamp)
{
    /// <summary>2^64 divided by the golden ratio: multiples of it spread evenly over the top bits (Knuth, TAOCP 3, 6.4).</summary>
    private const ulong GoldenMultiplier = 0x9E37_79B9_7F4A_7C15;

    private const int KeyBits = 64;
    private const int SmallestCapacityLog2 = 4;

    private readonly NgramSlot* _slots = slots;
    private readonly int _shift = KeyBits - capacityLog2;
    private readonly ulong _mask = (1UL << capacityLog2) - 1;
    private readonly uint _stamp = stamp;

    /// <summary>The number of different n-grams.</summary>
    public int Count { get; private set; }

    /// <summary>The logarithm of the capacity for so many n-grams.</summary>
    public static int CapacityLog2(int ngramCount) => Math.Max(SmallestCapacityLog2, BitOperations.Log2(2 * (ulong)ngramCount | 1) + 1);

    /// <summary>The key of an n-gram by the numbers of its first and of its last n - 1 tokens among the (n - 1)-grams.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(int prefix, int suffix) => (ulong)(uint)prefix << 32 | (uint)suffix;

    /// <summary>The number of an n-gram, a new one if it was not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindOrAdd(ulong key)
    {
        ulong place = key * GoldenMultiplier >> _shift;
        NgramSlot* slot = _slots + place;
        while (slot->Stamp == _stamp)
        {
            if (slot->Key == key)
                return slot->Id;
            place = (place + 1) & _mask;
            slot = _slots + place;
        }
        *slot = new NgramSlot { Key = key, Stamp = _stamp, Id = Count };
        return Count++;
    }

    /// <summary>The number of an n-gram, -1 if it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Find(ulong key)
    {
        ulong place = key * GoldenMultiplier >> _shift;
        NgramSlot* slot = _slots + place;
        while (slot->Stamp == _stamp)
        {
            if (slot->Key == key)
                return slot->Id;
            place = (place + 1) & _mask;
            slot = _slots + place;
        }
        return -1;
    }
}
