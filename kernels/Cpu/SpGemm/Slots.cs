using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.SpGemm;

/// <summary>Gustavson's dense accumulator: a column is its own slot.</summary>
internal readonly struct DenseSlots : ISlots
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Find(int column) => column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Lookup(int column) => column;

    public void Clear()
    {
    }
}

/// <summary>
/// Multiplicative hashing of columns to a power of two of places: it spreads the columns that follow each other (Knuth, TAOCP 3, section 6.4).
/// </summary>
/// <param name="count">The number of places, at least 2.</param>
internal readonly struct ColumnHash(int count)
{
    // 2^32 divided by the golden ratio.
    private const uint Multiplier = 0x9E3779B1;

    private readonly int _shift = 32 - BitOperations.Log2((uint)count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Of(int column) => (nint)(((uint)column * Multiplier) >> _shift);
}

/// <summary>
/// A hash table with linear probing. Tags are columns, four bytes each, and -1 where a slot is free: emptying it is a fill of a few cache lines.
/// </summary>
/// <param name="tags">A power of two of them, all free.</param>
/// <param name="count">How many, at least 2.</param>
internal readonly unsafe struct HashSlots(int* tags, int count) : ISlots
{
    /// <summary>The tag of a free slot.</summary>
    public const int Free = -1;

    private readonly int* _tags = tags;
    private readonly int _mask = count - 1;
    private readonly ColumnHash _hash = new(count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Find(int column) => Probe(column, takes: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Lookup(int column) => Probe(column, takes: false);

    public void Clear() => new Span<int>(_tags, _mask + 1).Fill(Free);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint Probe(int column, bool takes)
    {
        nint slot = _hash.Of(column);
        while (true)
        {
            int tag = _tags[slot];
            if (tag == column)
                return slot;
            if (tag == Free)
            {
                if (!takes)
                    return -1;
                _tags[slot] = column;
                return slot;
            }
            slot = (slot + 1) & _mask;
        }
    }
}

/// <summary>A hash table of buckets of eight tags, which are compared at once; a bucket fills from its start, and a full one leads on to the next.</summary>
/// <param name="tags">A power of two of them, all free.</param>
/// <param name="count">How many, at least two buckets.</param>
internal readonly unsafe struct BucketSlots(int* tags, int count) : ISlots
{
    /// <summary>Tags of a bucket: a register of 256 bits.</summary>
    public const int Width = 8;

    private readonly int* _tags = tags;
    private readonly int _mask = count - 1;
    private readonly ColumnHash _hash = new(count / Width);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Find(int column) => Probe(column, takes: true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Lookup(int column) => Probe(column, takes: false);

    public void Clear() => new Span<int>(_tags, _mask + 1).Fill(HashSlots.Free);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint Probe(int column, bool takes)
    {
        nint bucket = _hash.Of(column) * Width;
        Vector256<int> wanted = Vector256.Create(column);
        while (true)
        {
            Vector256<int> tags = Vector256.Load(_tags + bucket);
            uint found = Vector256.Equals(tags, wanted).ExtractMostSignificantBits();
            if (found != 0)
                return bucket + BitOperations.TrailingZeroCount(found);
            // Columns are not negative: the sign marks the free ones.
            uint free = tags.ExtractMostSignificantBits();
            if (free != 0)
            {
                if (!takes)
                    return -1;
                nint slot = bucket + BitOperations.TrailingZeroCount(free);
                _tags[slot] = column;
                return slot;
            }
            bucket = (bucket + Width) & _mask;
        }
    }
}
