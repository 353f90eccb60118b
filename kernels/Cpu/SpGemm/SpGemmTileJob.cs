using System.Diagnostics;
using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// Computes tiles and puts their entries one behind the other. Where a tile's entries belong is known once all tiles before it are counted. A thread that knows
/// it already writes there at once; otherwise it computes into its scratchpad, waits for the tile before, which another thread is at work on (tiles are handed
/// out in order), passes on where the next one begins, and copies. Should the other thread be late, as when the machine has given its processor to somebody
/// else, the one that waits counts that tile itself: no thread stands still for longer than two tiles take.
/// </summary>
internal unsafe struct SpGemmTileJob<T, TSemiring> : IRangeJob
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    /// <summary>In <see cref="Starts"/>: not known yet, and not to be known since an earlier tile did not fit or failed.</summary>
    public const long Unknown = -1, Stopped = -2;

    public SpGemmOperands<T> Operands;
    public SpGemmChoice Choice;
    public SpGemmLanes<T> Lanes;
    public SpGemmTile* Tiles;

    /// <summary>Whether the right matrix is larger than the cache that waiting for it is worth avoiding.</summary>
    public bool FetchesAhead;

    /// <summary>Item i of the job is tile FirstTile + i.</summary>
    public long FirstTile;

    /// <summary>Where each tile's entries begin, and those behind the last one's.</summary>
    public long* Starts;

    /// <summary>The result, with room for <see cref="Capacity"/> entries.</summary>
    public long* RowPointers;

    public int* Columns;
    public T* Values;
    public long Capacity;

    public readonly void Run(long begin, long end)
    {
        SpGemmLane<T> lane = Lanes.Take(out int index);
        try
        {
            for (long i = begin; i < end; i++)
                RunTile(FirstTile + i, lane);
        }
        finally
        {
            Lanes.Return(index);
        }
    }

    private readonly void RunTile(long tile, in SpGemmLane<T> lane)
    {
        ref readonly SpGemmTile own = ref Tiles[tile];
        long next = Stopped;
        try
        {
            long start = Volatile.Read(ref Starts[tile]), began = Stopwatch.GetTimestamp();
            bool isDirect = start >= 0 && own.Bound <= Capacity - start;
            long count = isDirect ? Compute(own, lane, Columns + start, Values + start) : Compute(own, lane, lane.StageColumns, lane.StageValues);
            start = isDirect ? start : WaitForStart(tile, lane, count, Stopwatch.GetTimestamp() - began);
            if (start == Stopped || count > Capacity - start)
                return;
            next = start + count;
            Volatile.Write(ref Starts[tile + 1], next);
            if (!isDirect)
                CopyStage(lane, start, count);
            EndRows(own, start, next);
        }
        finally
        {
            if (next == Stopped)
                Volatile.Write(ref Starts[tile + 1], Stopped);
        }
    }

    // Rows end, for the time being, counted from the tile's start.
    private readonly long Compute(in SpGemmTile tile, in SpGemmLane<T> lane, int* columns, T* values)
    {
        long count = 0;
        for (int row = tile.RowBegin; row < tile.RowEnd; row++)
        {
            if (FetchesAhead && row + 1 < tile.RowEnd)
                SpGemmRows<T, TSemiring>.FetchAhead(Operands, row + 1);
            count += SpGemmRows<T, TSemiring>.Compute(Operands, lane, Choice, row, tile.Range, columns + count, values + count);
            if (tile.Range.End == Operands.Right.ColumnCount)
                RowPointers[row + 1] = count;
        }
        return count;
    }

    private readonly void EndRows(in SpGemmTile tile, long start, long end)
    {
        if (tile.Range.End != Operands.Right.ColumnCount)
            return;
        for (int row = tile.RowBegin; row < tile.RowEnd - 1; row++)
            RowPointers[row + 1] += start;
        RowPointers[tile.RowEnd] = end;
    }

    private readonly void CopyStage(in SpGemmLane<T> lane, long start, long count)
    {
        Buffer.MemoryCopy(lane.StageColumns, Columns + start, count * sizeof(int), count * sizeof(int));
        Buffer.MemoryCopy(lane.StageValues, Values + start, count * sizeof(T), count * sizeof(T));
    }

    // Tiles take about the same time each: one that takes twice as long as this one did is late. Until then the processor is kept: on a busy machine somebody
    // else would get it for many times as long.
    private readonly long WaitForStart(long tile, in SpGemmLane<T> lane, long staged, long ownTime)
    {
        long deadline = Stopwatch.GetTimestamp() + Math.Min(ownTime, SpGemmTuning.LongestWait), start;
        var wait = new SpinWait();
        while ((start = Volatile.Read(ref Starts[tile])) == Unknown)
        {
            long before = Volatile.Read(ref Starts[tile - 1]);
            // Zeros that are dropped stand, until then, where the next tile begins: its thread may write them there at any time.
            if (before < 0 || Operands.DropsZeros)
                wait.SpinOnce(sleep1Threshold: -1);
            else if (Stopwatch.GetTimestamp() < deadline)
                Thread.SpinWait(SpGemmTuning.SpinsBetweenLooks);
            else
                CountLate(tile - 1, before, lane, staged);
        }
        return start;
    }

    // Passes on what the tile's own thread will pass on, unless that comes first. Rows go, one over the other, behind what is staged.
    private readonly void CountLate(long tile, long start, in SpGemmLane<T> lane, long staged)
    {
        ref readonly SpGemmTile late = ref Tiles[tile];
        long count = 0;
        for (int row = late.RowBegin; row < late.RowEnd; row++)
        {
            if (Volatile.Read(ref Starts[tile + 1]) != Unknown)
                return;
            count += SpGemmRows<T, TSemiring>.Compute(Operands, lane, Choice, row, late.Range, lane.StageColumns + staged, lane.StageValues + staged);
        }
        Interlocked.CompareExchange(ref Starts[tile + 1], count <= Capacity - start ? start + count : Stopped, Unknown);
    }
}
