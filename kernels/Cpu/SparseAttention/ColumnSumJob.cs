using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Column sums of probabilities where there are several queries: scores are made again, panel by panel, from packed keys. Items are [heads, panels]; each owns its keys' sums.
/// </summary>
internal readonly unsafe struct ColumnSumJob<TKernels>(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels, float* logSumExp) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly AttentionTiling _tiling = new(call.Shape, sequence.QueryCount);
    private readonly AttentionPairTile<TKernels> _pairs = new(call, sequence, panels, logSumExp);

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int group = _call.Shape.GroupSize, wide = Tile * _panels.HeadDimension;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(wide) + RentedScratch.Bytes<float>(Tile * Tile) + RentedScratch.Bytes<double>((long)group * Tile));
        float* queries = scratch.Take<float>(wide), probabilities = scratch.Take<float>(Tile * Tile);
        double* sums = scratch.Take<double>((long)group * Tile);
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item / _panels.PanelCount), panel = (int)(item % _panels.PanelCount);
            new Span<double>(sums, group * Tile).Clear();
            for (int number = 0; number < _tiling.Count; number++)
            {
                AttentionTile tile = _tiling.Tile(head, number);
                TileRows.Load<TKernels>(_call, _sequence, tile, _call.Queries, _call.Scale, queries);
                if (!_pairs.Probabilities(tile, head, panel, queries, probabilities, null))
                    continue;
                for (int row = 0; row < tile.RowCount; row++)
                    Add(probabilities + row * Tile, sums + tile.HeadOf(row) % group * Tile);
            }
            Store(head * group, panel * Tile, sums);
        }
    }

    private static void Add(float* probabilities, double* sums)
    {
        for (int key = 0; key < Tile; key++)
            sums[key] += probabilities[key];
    }

    private void Store(int firstHead, int firstKey, double* sums)
    {
        int count = Math.Min(Tile, _sequence.KeyCount - firstKey);
        for (int head = 0; head < _call.Shape.GroupSize; head++)
        {
            float* column = _call.ColumnSums + (firstHead + head) * _call.ColumnSumStride + _sequence.KeyBegin + firstKey;
            for (int key = 0; key < count; key++)
                column[key] = (float)sums[head * Tile + key];
        }
    }
}
