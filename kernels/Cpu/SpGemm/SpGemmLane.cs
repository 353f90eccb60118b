using Kernels.Core.Machine;

namespace Kernels.Cpu.SpGemm;

/// <summary>How much scratch a thread needs.</summary>
/// <param name="DenseColumns">Columns that dense accumulators have slots for; 0 if there are none.</param>
/// <param name="TagCount">Slots of the largest table, a power of two.</param>
/// <param name="RowEntries">The most columns of one row.</param>
/// <param name="StageEntries">The most entries of one tile, and, where threads wait for each other, of one row more.</param>
/// <param name="SortColumns">Columns that bitmaps have bits for; 0 if there are none.</param>
internal readonly record struct SpGemmLaneSizes(long DenseColumns, long TagCount, long RowEntries, long StageEntries, long SortColumns)
{
    /// <summary>Slots of values and states, for both kinds of accumulators.</summary>
    public long SlotCount => Math.Max(DenseColumns, TagCount);
}

/// <summary>The scratch of one thread. Between rows values are the semiring's zero, states empty, tags free, bits clear.</summary>
internal unsafe struct SpGemmLane<T> where T : unmanaged
{
    public T* Values;
    public byte* States;
    public int* Tags;

    /// <summary>The columns of the row at hand in the order of their appearance.</summary>
    public int* Touched;

    /// <summary>Where a tile's output is kept until it is known where it belongs.</summary>
    public int* StageColumns;

    public T* StageValues;
    public ColumnSort Sort;

    private ulong* _bits, _summary;

    public SpGemmLane(byte* memory, in SpGemmLaneSizes sizes) => Place(memory, sizes);

    public static long Bytes(in SpGemmLaneSizes sizes)
    {
        SpGemmLane<T> lane = default;
        return (long)lane.Place(null, sizes);
    }

    /// <summary>Brings a lane that may hold anything into the state in which rows leave it.</summary>
    public readonly void Clear(in SpGemmLaneSizes sizes, T zero)
    {
        Fill(Values, sizes.SlotCount, zero);
        Fill(States, sizes.SlotCount, SlotState.Empty);
        Fill(Tags, sizes.TagCount, HashSlots.Free);
        (long bits, long summary) = ColumnSort.Words(sizes.SortColumns);
        Fill(_bits, bits, 0UL);
        Fill(_summary, summary, 0UL);
    }

    // Returns the end.
    private byte* Place(byte* next, in SpGemmLaneSizes sizes)
    {
        (long bits, long summary) = ColumnSort.Words(sizes.SortColumns);
        Values = (T*)Take(ref next, sizes.SlotCount * sizeof(T));
        States = Take(ref next, sizes.SlotCount);
        Tags = (int*)Take(ref next, sizes.TagCount * sizeof(int));
        Touched = (int*)Take(ref next, (sizes.RowEntries + ColumnSort.Padding) * sizeof(int));
        StageColumns = (int*)Take(ref next, sizes.StageEntries * sizeof(int));
        StageValues = (T*)Take(ref next, sizes.StageEntries * sizeof(T));
        _bits = (ulong*)Take(ref next, bits * sizeof(ulong));
        _summary = (ulong*)Take(ref next, summary * sizeof(ulong));
        Sort = new ColumnSort(sizes.SortColumns == 0 ? null : _bits, _summary, sizes.SortColumns);
        return next;
    }

    private static byte* Take(ref byte* next, long bytes)
    {
        byte* own = next;
        next += CacheLine.RoundUp(bytes);
        return own;
    }

    // Spans end at 2^31 elements.
    private static void Fill<TItem>(TItem* items, long count, TItem value) where TItem : unmanaged
    {
        for (long done = 0; done < count; done += int.MaxValue)
            new Span<TItem>(items + done, (int)Math.Min(int.MaxValue, count - done)).Fill(value);
    }
}
