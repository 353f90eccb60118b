using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>The gradient of tiles of queries: sum over keys of logit gradients times keys. Items are [tiles, last queries first][heads].</summary>
internal readonly unsafe struct QueryGradientJob<TKernels>(in AttentionGradientCall call, in AttentionSequence sequence, in PackedPanels panels) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionGradientCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly AttentionTiling _tiling = new(call.Forward.Shape, sequence.QueryCount);
    private readonly AttentionPairTile<TKernels> _pairs = new(call.Forward, sequence, panels, call.Forward.LogSumExp);

    public long ItemCount => (long)_tiling.Count * _panels.HeadCount;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int padded = _panels.PaddedDimension;
        long wide = Tile * padded, square = Tile * Tile;
        using var scratch = new RentedScratch(3 * RentedScratch.Bytes<float>(wide) + 3 * RentedScratch.Bytes<float>(square) + RentedScratch.Bytes<float>(Tile));
        float* queries = scratch.Take<float>(wide), outputGradients = scratch.Take<float>(wide), sums = scratch.Take<float>(wide),
            deltas = scratch.Take<float>(Tile);
        float* probabilities = scratch.Take<float>(square), gradients = scratch.Take<float>(square), capSlopes = _call.Forward.SoftCap > 0
            ? scratch.Take<float>(square) : null;
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item / _tiling.Count);
            AttentionTile tile = _tiling.Tile(head, _tiling.Count - 1 - (int)(item % _tiling.Count));
            GradientRows.Load<TKernels>(_call, _sequence, tile, queries, outputGradients, deltas);
            new Span<float>(sums, Tile * padded).Clear();
            for (int panel = 0; panel < _panels.PanelCount; panel++)
            {
                if (!_pairs.Probabilities(tile, head, panel, queries, probabilities, capSlopes))
                    continue;
                _pairs.LogitGradients(tile, head, panel, outputGradients, deltas, probabilities, capSlopes, gradients);
                TKernels.Multiply(new TileProduct
                {
                    A = gradients,
                    RowStride = Tile,
                    DepthStride = 1,
                    RowCount = tile.RowCount,
                    Depth = Tile,
                    Slivers = _panels.Panel(_panels.Keys, head, panel),
                    SliverCount = padded / TKernels.SliverWidth,
                    C = sums,
                    Stride = padded,
                    Add = true,
                });
            }
            Store(tile, sums);
        }
    }

    private void Store(in AttentionTile tile, float* sums)
    {
        int d = _panels.HeadDimension;
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* to = _call.QueryGradient + ((long)(_sequence.QueryBegin + tile.QueryOf(row)) * _call.Forward.Shape.QueryHeads + tile.HeadOf(row)) * d;
            for (int i = 0; i < d; i++)
                to[i] = _call.Forward.Scale * sums[row * _panels.PaddedDimension + i];
        }
    }
}

/// <summary>
/// The gradients of panels of keys and values, added to what earlier sequences gave to shared ones. Items are [heads, panels]; tiles are added in order.
/// </summary>
internal readonly unsafe struct KeyGradientJob<TKernels>(in AttentionGradientCall call, in AttentionSequence sequence, in PackedPanels panels) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionGradientCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly AttentionTiling _tiling = new(call.Forward.Shape, sequence.QueryCount);
    private readonly AttentionPairTile<TKernels> _pairs = new(call.Forward, sequence, panels, call.Forward.LogSumExp);

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int d = _panels.HeadDimension, padded = _panels.PaddedDimension;
        long wide = Tile * padded, square = Tile * Tile;
        using var scratch = new RentedScratch(5 * RentedScratch.Bytes<float>(wide) + 3 * RentedScratch.Bytes<float>(square) + RentedScratch.Bytes<float>(Tile));
        float* queries = scratch.Take<float>(wide), outputGradients = scratch.Take<float>(wide), packed = scratch.Take<float>(wide),
            deltas = scratch.Take<float>(Tile);
        float* keySums = scratch.Take<float>(wide), valueSums = scratch.Take<float>(wide);
        float* probabilities = scratch.Take<float>(square), gradients = scratch.Take<float>(square), capSlopes = _call.Forward.SoftCap > 0
            ? scratch.Take<float>(square) : null;
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item / _panels.PanelCount), panel = (int)(item % _panels.PanelCount);
            new Span<float>(keySums, Tile * padded).Clear();
            new Span<float>(valueSums, Tile * padded).Clear();
            for (int number = 0; number < _tiling.Count; number++)
            {
                AttentionTile tile = _tiling.Tile(head, number);
                GradientRows.Load<TKernels>(_call, _sequence, tile, queries, outputGradients, deltas);
                if (!_pairs.Probabilities(tile, head, panel, queries, probabilities, capSlopes))
                    continue;
                _pairs.LogitGradients(tile, head, panel, outputGradients, deltas, probabilities, capSlopes, gradients);
                AddSpecial(tile, probabilities, outputGradients, deltas, valueSums);
                AddAcross(tile, probabilities, outputGradients, packed, valueSums);
                // A special query makes its own pairs' gradients special; pairs that are left out must not meet it here.
                TilePacking<TKernels>.ReplaceSpecial(queries, tile.RowCount * d);
                AddAcross(tile, gradients, queries, packed, keySums);
            }
            Store(head, panel, keySums, _call.KeyGradient);
            Store(head, panel, valueSums, _call.ValueGradient);
        }
    }

    // An output's gradient that is no number makes its row's delta none: it is added to the values of the pairs that take part by itself, and its place is
    // cleared.
    private void AddSpecial(in AttentionTile tile, float* probabilities, float* outputGradients, float* deltas, float* valueSums)
    {
        int d = _panels.HeadDimension;
        for (int row = 0; row < tile.RowCount; row++)
        {
            for (int i = 0; !float.IsFinite(deltas[row]) && i < d; i++)
            {
                ref float special = ref outputGradients[row * d + i];
                if (float.IsFinite(special))
                    continue;
                for (int key = 0; key < Tile; key++)
                {
                    float probability = probabilities[row * Tile + key];
                    valueSums[key * _panels.PaddedDimension + i] += probability == 0 ? 0 : probability * special;
                }
                special = 0;
            }
        }
    }

    // sums[key] += sum over rows of pairs[row][key] rows[row].
    private void AddAcross(in AttentionTile tile, float* pairs, float* rows, float* packed, float* sums)
    {
        int d = _panels.HeadDimension, missing = Tile - tile.RowCount;
        new Span<float>(pairs + tile.RowCount * Tile, missing * Tile).Clear();
        new Span<float>(rows + tile.RowCount * d, missing * d).Clear();
        TilePacking<TKernels>.Along(rows, d, d, packed);
        TKernels.Multiply(new TileProduct
        {
            A = pairs,
            RowStride = 1,
            DepthStride = Tile,
            RowCount = Tile,
            Depth = Tile,
            Slivers = packed,
            SliverCount = _panels.PaddedDimension / TKernels.SliverWidth,
            C = sums,
            Stride = _panels.PaddedDimension,
            Add = true,
        });
    }

    private void Store(int head, int panel, float* sums, float* gradients)
    {
        int first = panel * Tile, count = Math.Min(Tile, _sequence.KeyCount - first), d = _panels.HeadDimension;
        for (int key = 0; key < count; key++)
            TKernels.AddScaled(sums + key * _panels.PaddedDimension, gradients + _call.Forward.Source.Element(_sequence, head, first + key), d, 1);
    }
}

/// <summary>What both gradient jobs need of a tile of query rows.</summary>
internal static unsafe class GradientRows
{
    /// <summary>Scaled queries, output gradients, and for each row the product of its output and its gradient.</summary>
    public static void Load<TKernels>(in AttentionGradientCall call, in AttentionSequence sequence, in AttentionTile tile, float* queries,
        float* outputGradients, float* deltas)
        where TKernels : struct, IAttentionKernels
    {
        int d = call.Forward.Shape.HeadDimension;
        TileRows.Load<TKernels>(call.Forward, sequence, tile, call.Forward.Queries, call.Forward.Scale, queries);
        TileRows.Load<TKernels>(call.Forward, sequence, tile, call.OutputGradient, 1, outputGradients);
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* output = call.Forward.Output + ((long)(sequence.QueryBegin + tile.QueryOf(row)) * call.Forward.Shape.QueryHeads + tile.HeadOf(row)) * d;
            double sum = 0;
            for (int i = 0; i < d; i++)
                sum += (double)output[i] * outputGradients[row * d + i];
            deltas[row] = (float)sum;
        }
    }
}
