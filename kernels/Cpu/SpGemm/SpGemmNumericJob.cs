using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>The values of rows whose pattern is known; what lies outside of it, as under a mask, is left out.</summary>
internal unsafe struct SpGemmNumericJob<T, TSemiring> : IRangeJob
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    /// <summary>Their mask, if any, is the pattern.</summary>
    public SpGemmOperands<T> Operands;

    public CsrRows<NoValue> Pattern;
    public SpGemmChoice Choice;
    public SpGemmLanes<T> Lanes;
    public SpGemmTile* Tiles;
    public T* Values;

    public readonly void Run(long begin, long end)
    {
        SpGemmLane<T> lane = Lanes.Take(out int index);
        try
        {
            for (long i = begin; i < end; i++)
            {
                for (int row = Tiles[i].RowBegin; row < Tiles[i].RowEnd; row++)
                    RunRow(row, lane);
            }
        }
        finally
        {
            Lanes.Return(index);
        }
    }

    private readonly void RunRow(int row, in SpGemmLane<T> lane)
    {
        int count = (int)Pattern.Length(row);
        if (count == 0)
            return;
        int* columns = Pattern.Columns + Pattern.RowPointers[row];
        // Where rows are not sorted that is a guess, and so is the choice.
        long span = Math.Abs((long)columns[count - 1] - columns[0]);
        SpGemmAccumulator accumulator = Choice.IsNarrow(span) ? SpGemmAccumulator.Dense : Choice.ForRow(count, Operands.Right.ColumnCount);
        if (accumulator == SpGemmAccumulator.Dense)
            RunRow(new DenseSlots(), row, lane, columns, count);
        else if (accumulator == SpGemmAccumulator.Hash)
            RunRow(new HashSlots(lane.Tags, (int)SpGemmRows<T, TSemiring>.TagCount(count)), row, lane, columns, count);
        else
            RunRow(new BucketSlots(lane.Tags, (int)SpGemmRows<T, TSemiring>.TagCount(count)), row, lane, columns, count);
    }

    private readonly void RunRow<TSlots>(TSlots slots, int row, in SpGemmLane<T> lane, int* columns, int count) where TSlots : struct, ISlots
    {
        T* values = Values + Pattern.RowPointers[row];
        if (Operands.Mask.IsPresent)
        {
            var range = new ColumnRange(0, Operands.Right.ColumnCount);
            SpGemmRow<T, TSemiring, TSlots>.Mark(slots, lane, Operands.Mask, row, range, SlotState.Open);
            SpGemmRow<T, TSemiring, TSlots>.AccumulateMasked(slots, lane, Operands, row, range, touched: 0);
        }
        else
        {
            SpGemmRow<T, TSemiring, TSlots>.AccumulateKnown(slots, lane, Operands, row);
        }
        SpGemmRow<T, TSemiring, TSlots>.TakeOut(slots, lane, columns, columns, values, count);
        slots.Clear();
    }
}
