using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>Computes tiles for their number of entries alone: to estimate a result's size from some of them, or to know it from all.</summary>
internal unsafe struct SpGemmCountJob<T, TSemiring> : IRangeJob
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    public SpGemmOperands<T> Operands;
    public SpGemmChoice Choice;
    public SpGemmLanes<T> Lanes;
    public SpGemmTile* Tiles;

    /// <summary>Item i of the job is tile FirstTile + i Stride.</summary>
    public long FirstTile, Stride;

    /// <summary>The entries of each item.</summary>
    public long* Counts;

    public readonly void Run(long begin, long end)
    {
        SpGemmLane<T> lane = Lanes.Take(out int index);
        try
        {
            for (long i = begin; i < end; i++)
            {
                ref readonly SpGemmTile tile = ref Tiles[FirstTile + i * Stride];
                long count = 0;
                for (int row = tile.RowBegin; row < tile.RowEnd; row++)
                    count += SpGemmRows<T, TSemiring>.Compute(Operands, lane, Choice, row, tile.Range, lane.StageColumns + count, lane.StageValues + count);
                Counts[i] = count;
            }
        }
        finally
        {
            Lanes.Return(index);
        }
    }
}
