using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>What is decided from sizes before the first product is formed.</summary>
internal static unsafe class SpGemmAnalysis
{
    // Rows that a thread counts at a time: some ten microseconds.
    private const long CountGrain = 4096;

    /// <summary>Writes the products of row r to r + 1; returns the least number of entries.</summary>
    public static long CountProducts<T>(in SpGemmOperands<T> operands, long* products, in KernelOptions options) where T : unmanaged
    {
        long least = 0;
        var job = new SpGemmProductsJob<T> { Left = operands.Left, Right = operands.Right, Products = products, LeastEntries = &least };
        long entries = operands.Left.RowPointers[operands.Left.RowCount] - operands.Left.RowPointers[0];
        RangeRunner.Run(job, operands.Left.RowCount, CountGrain, ThreadCount(entries, long.MaxValue, options), options.CancellationToken);
        return least;
    }

    public static int ThreadCount(long products, long tileCount, in KernelOptions options) =>
        ThreadPolicy.Threads(products, SpGemmTuning.ParallelProducts, options, most: (int)Math.Clamp(tileCount, 1, ScratchLanes.MaxCount));

    public static long BytesOf<T>(in SpGemmOperands<T> operands) where T : unmanaged => BytesOf(operands.Left) + BytesOf(operands.Right);

    public static SpGemmLaneSizes LaneSizes<T>(in SpGemmSchedule<T> schedule, in SpGemmChoice choice, in SpGemmOperands<T> operands, int threads)
        where T : unmanaged
    {
        long columns = operands.Right.ColumnCount, slots = schedule.RowSlots;
        bool hasTables = !(choice.HasDense && choice.DenseFits) && choice.Accumulator != SpGemmAccumulator.Dense;
        // Rows with more products than that are dense ones.
        if (choice is { HasDense: true, Accumulator: SpGemmAccumulator.Hybrid } && !operands.Mask.IsPresent && !operands.Addend.IsPresent)
            slots = Math.Min(slots, columns / SpGemmTuning.DenseColumnsPerProduct);
        bool hasBitmaps = !operands.IsUnsorted && schedule.RowBound > SpGemmTuning.RankLimit && columns / 8 <= MachineInfo.Current.Level2Bytes;
        // Behind a tile's entries a row of another tile, see SpGemmTileJob.
        long stage = schedule.TileBound + (threads > 1 ? schedule.RowBound : 0);
        return new(choice.HasDense ? columns : 0, hasTables ? SpGemmRows<NoValue, PatternSemiring>.TagCount(slots) : 0, schedule.RowBound, stage, hasBitmaps
            ? columns : 0);
    }

    public static SpGemmLanes<T> RentLanes<T, TSemiring>(SpGemmWorkspace workspace, in SpGemmLaneSizes sizes, int count) where T : unmanaged, IEquatable<T>
        where TSemiring : struct, ISemiring<T>
    {
        ScratchLanes lanes = workspace.RentLanes(count, SpGemmLanes<T>.Bytes(sizes));
        for (int i = 0; i < count; i++)
            SpGemmLanes<T>.Close(workspace.Lane(i));
        return new(lanes, sizes, TSemiring.Zero);
    }

    public static long BytesOf<T>(in CsrRows<T> rows) where T : unmanaged =>
        (rows.RowPointers[rows.RowCount] - rows.RowPointers[0]) * (sizeof(int) + sizeof(T)) + (rows.RowCount + 1L) * sizeof(long);
}
