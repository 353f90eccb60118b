using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Column sums of probabilities where there are several queries: scores are made again, panel by panel, from packed keys. Items are [heads, panels]; each owns
/// its keys' sums, and has a part of the sums by distance (<see cref="DiagonalParts"/>) where these are wanted.
/// </summary>
internal readonly unsafe struct ColumnSumJob<TKernels>(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels, in DiagonalParts diagonals,
    float* logSumExp) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly DiagonalParts _diagonals = diagonals;
    private readonly AttentionTiling _tiling = new(call.Shape, sequence.QueryCount);
    private readonly AttentionPairTile<TKernels> _pairs = new(call, sequence, panels, logSumExp);

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int group = _call.Shape.GroupSize, wide = Tile * _panels.HeadDimension;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(wide) + RentedScratch.Bytes<float>(Tile * Tile)
            + RentedScratch.Bytes<double>((long)group * Tile));
        float* queries = scratch.Take<float>(wide), probabilities = scratch.Take<float>(Tile * Tile);
        double* sums = scratch.Take<double>((long)group * Tile);
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item / _panels.PanelCount), panel = (int)(item % _panels.PanelCount);
            new Span<double>(sums, group * Tile).Clear();
            _diagonals.Clear(item);
            for (int number = 0; number < _tiling.Count; number++)
            {
                AttentionTile tile = _tiling.Tile(head, number);
                TileRows.Load<TKernels>(_call, _sequence, tile, _call.Queries, _call.Scale, queries);
                if (!_pairs.Probabilities(tile, head, panel, queries, probabilities, null))
                    continue;
                for (int row = 0; row < tile.RowCount; row++)
                {
                    int headOfGroup = tile.HeadOf(row) % group;
                    TKernels.AddToDoubles(probabilities + row * Tile, sums + headOfGroup * Tile);
                    if (_diagonals.Sums != null)
                        TKernels.AddToDoubles(probabilities + row * Tile, _diagonals.Part(item, headOfGroup) + (Tile - 1 - tile.QueryOf(row)));
                }
            }
            Store(head * group, panel * Tile, sums);
        }
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

/// <summary>
/// Sums of probabilities by distance, a part for each panel and query head: [heads, panels, group, 2 tiles], place key - query + tile - 1 of it, keys counted
/// from the panel's first and queries from the sequence's first. Each distance is in two panels' parts.
/// </summary>
internal unsafe struct DiagonalParts
{
    /// <summary>Of one panel and query head: what 64 keys and 64 queries have, 127, and one for whole tiles.</summary>
    public const int Length = 2 * AttentionTuning.Tile;

    /// <summary>Null where no sums are wanted.</summary>
    public double* Sums;
    public int GroupSize;

    public readonly double* Part(long item, int headOfGroup) => Sums + (item * GroupSize + headOfGroup) * Length;

    public readonly void Clear(long item)
    {
        if (Sums != null)
            new Span<double>(Part(item, 0), GroupSize * Length).Clear();
    }
}

/// <summary>Adds the parts of each distance, of the earlier panel first; items are [heads, tiles of distances].</summary>
internal readonly unsafe struct DiagonalSumJob(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels, in DiagonalParts parts) : IRangeJob
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly PackedPanels _panels = panels;
    private readonly DiagonalParts _parts = parts;
    private readonly int _keyCount = sequence.KeyCount;
    private readonly int _firstPosition = (int)sequence.PositionOf(0);

    public void Run(long begin, long end)
    {
        for (long item = begin; item < end; item++)
        {
            int head = (int)(item / _panels.PanelCount), first = (int)(item % _panels.PanelCount) * Tile;
            for (int h = 0; h < _parts.GroupSize; h++)
            {
                float* sums = _call.DiagonalSums + ((long)(_panels.FirstHead + head) * _parts.GroupSize + h) * _call.ColumnSumStride;
                for (int distance = first; distance < Math.Min(_keyCount, first + Tile); distance++)
                    sums[distance] = (float)Sum(head, h, distance);
            }
        }
    }

    // distance = first position + query - key, and key = tile panel + key in it: place = first position + tile - 1 - distance - tile panel, within [0, 2 tiles)
    // for two panels.
    private double Sum(int head, int headOfGroup, int distance)
    {
        int place = _firstPosition + Tile - 1 - distance, panel = place >> AttentionTuning.TileShift, inTile = place & (Tile - 1);
        return At(head, headOfGroup, panel - 1, inTile + Tile) + At(head, headOfGroup, panel, inTile);
    }

    private double At(int head, int headOfGroup, int panel, int place) =>
        (uint)panel < (uint)_panels.PanelCount ? _parts.Part((long)head * _panels.PanelCount + panel, headOfGroup)[place] : 0;
}
