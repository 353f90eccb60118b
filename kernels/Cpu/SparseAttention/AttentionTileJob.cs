using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Attention of tiles of query rows over packed panels; items are [heads][tiles, last queries first].</summary>
internal readonly unsafe struct AttentionTileJob<TKernels>(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels, float* logSumExp)
    : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly AttentionMask<TKernels> _mask = new(call, sequence);
    private readonly AttentionTiling _tiling = new(call.Shape, sequence.QueryCount);
    private readonly float* _logSumExp = logSumExp;

    public long ItemCount => (long)_tiling.Count * _panels.HeadCount;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int padded = _panels.PaddedDimension;
        using var memory = new RentedScratch(RentedScratch.Bytes<float>(Tile * _panels.HeadDimension) + RentedScratch.Bytes<float>(Tile * Tile)
            + RentedScratch.Bytes<float>(Tile * padded));
        var scratch = new TileScratch
        {
            Queries = memory.Take<float>(Tile * _panels.HeadDimension),
            Scores = memory.Take<float>(Tile * Tile),
            Output = memory.Take<float>(Tile * padded)
        };
        AttentionRow* rows = stackalloc AttentionRow[Tile];
        for (long item = begin; item < end; item++)
        {
            // All threads work on one head, whose panels stay in the shared cache. A causal call's last queries have the most keys: they go first, so that no
            // thread is left alone with them.
            int number = _tiling.Count - 1 - (int)(item % _tiling.Count), head = _panels.FirstHead + (int)(item / _tiling.Count);
            AttentionTile tile = _tiling.Tile(head, number);
            TileRows.Load<TKernels>(_call, _sequence, tile, _call.Queries, _call.Scale, scratch.Queries);
            new Span<float>(scratch.Output, tile.RowCount * padded).Clear();
            new Span<AttentionRow>(rows, tile.RowCount).Fill(AttentionRow.Empty);
            for (int panel = 0; panel < _panels.PanelCount; panel++)
                AddPanel(tile, head, panel, scratch, rows);
            Finish(tile, scratch, rows);
        }
    }

    private void AddPanel(in AttentionTile tile, int head, int panel, in TileScratch scratch, AttentionRow* rows)
    {
        int first = panel * Tile, count = Math.Min(Tile, _sequence.KeyCount - first);
        TileCover cover = _mask.Cover(tile, first, count);
        if (cover == TileCover.None)
            return;
        TileRows.Multiply<TKernels>(scratch.Queries, tile.RowCount, _panels.HeadDimension, _panels.Panel(_panels.KeysAcross, head, panel), scratch.Scores);
        for (int row = 0; row < tile.RowCount && (cover == TileCover.Part || count < Tile); row++)
            _mask.Apply(tile.HeadOf(row), tile.QueryOf(row), first, count, scratch.Scores + row * Tile);
        if (_call.Output == null)
        {
            AddTerms(tile.RowCount, scratch, rows);
            return;
        }
        float* values = _panels.Panel(_panels.Values, head, panel);
        if (_panels.HasSpecialValues[_panels.Number(head, panel)])
        {
            AddSpecial(tile, values, scratch, rows);
            return;
        }
        AddTerms(tile.RowCount, scratch, rows);
        AddValues(tile, values, scratch);
    }

    private void AddTerms(int rowCount, in TileScratch scratch, AttentionRow* rows)
    {
        for (int row = 0; (row = TKernels.AddTerms(scratch.Scores, Tile, rows, row, rowCount)) < rowCount; row++)
        {
            float factor = rows[row].AddTerms<TKernels>(scratch.Scores + row * Tile);
            if (factor != 1)
                TileRows.Scale<TKernels>(scratch.Output + row * _panels.PaddedDimension, _panels.PaddedDimension, factor);
        }
    }

    private void AddValues(in AttentionTile tile, float* values, in TileScratch scratch) => TKernels.Multiply(new TileProduct
    {
        A = scratch.Scores,
        RowStride = Tile,
        DepthStride = 1,
        RowCount = tile.RowCount,
        Depth = Tile,
        Slivers = values,
        SliverCount = _panels.PaddedDimension / TKernels.SliverWidth,
        C = scratch.Output,
        Stride = _panels.PaddedDimension,
        Add = true,
    });

    // A weight of 0 may not meet what is no number: the product finds zeros in its place, and the pairs that take part get it afterwards, by themselves.
    [SkipLocalsInit]
    private void AddSpecial(in AttentionTile tile, float* values, in TileScratch scratch, AttentionRow* rows)
    {
        ulong* takesPart = stackalloc ulong[Tile];
        for (int row = 0; row < tile.RowCount; row++)
            takesPart[row] = TileRows.TakesPart(scratch.Scores + row * Tile);
        AddTerms(tile.RowCount, scratch, rows);
        using var memory = new RentedScratch(RentedScratch.Bytes<float>(_panels.PanelLength));
        float* numbers = memory.Take<float>(_panels.PanelLength);
        new ReadOnlySpan<float>(values, (int)_panels.PanelLength).CopyTo(new Span<float>(numbers, (int)_panels.PanelLength));
        TilePacking<TKernels>.ReplaceSpecial(numbers, (int)_panels.PanelLength);
        AddValues(tile, numbers, scratch);
        for (int i = 0; i < _panels.PanelLength; i++)
        {
            if (!float.IsFinite(values[i]))
                AddSpecial(tile, i, values[i], takesPart, scratch);
        }
    }

    // The element with this number in a panel of slivers.
    private void AddSpecial(in AttentionTile tile, int number, float value, ulong* takesPart, in TileScratch scratch)
    {
        int width = TKernels.SliverWidth, key = number / width % Tile, column = number / (width * Tile) * width + number % width;
        for (int row = 0; row < tile.RowCount; row++)
        {
            if ((takesPart[row] >> key & 1) != 0)
                scratch.Output[row * _panels.PaddedDimension + column] += scratch.Scores[row * Tile + key] * value;
        }
    }

    private void Finish(in AttentionTile tile, in TileScratch scratch, AttentionRow* rows)
    {
        int d = _panels.HeadDimension;
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* output = scratch.Output + row * _panels.PaddedDimension;
            long number = (long)(_sequence.QueryBegin + tile.QueryOf(row)) * _call.Shape.QueryHeads + tile.HeadOf(row);
            if (_call.Output != null)
                TKernels.CopyScaled(output, _call.Output + number * d, d, rows[row].Normalization);
            if (_logSumExp != null)
                _logSumExp[number] = rows[row].LogSumExp;
        }
    }
}

/// <summary>What a thread has of a tile.</summary>
internal unsafe struct TileScratch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int LineBytes = 64;

    /// <summary>[rows, head dimension], scaled.</summary>
    public float* Queries;

    /// <summary>[rows, tile].</summary>
    public float* Scores;

    /// <summary>[rows, padded dimension].</summary>
    public float* Output;
}

/// <summary>Steps that the jobs on tiles share.</summary>
internal static unsafe class TileRows
{
    /// <summary>rows[r] = factor source[query, head].</summary>
    public static void Load<TKernels>(in AttentionCall call, in AttentionSequence sequence, in AttentionTile tile, float* source, float factor, float* rows)
        where TKernels : struct, IAttentionKernels
    {
        int d = call.Shape.HeadDimension;
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* from = source + ((long)(sequence.QueryBegin + tile.QueryOf(row)) * call.Shape.QueryHeads + tile.HeadOf(row)) * d;
            TKernels.CopyScaled(from, rows + row * d, d, factor);
        }
    }

    /// <summary>x[i] *= factor.</summary>
    public static void Scale<TKernels>(float* x, long count, float factor) where TKernels : struct, IAttentionKernels =>
        TKernels.CopyScaled(x, x, count, factor);

    /// <summary>products = rows times a panel across, a row of them after the other or at a distance.</summary>
    public static void Multiply<TKernels>(float* rows, int rowCount, int dimension, float* across, float* products, int stride = AttentionTuning.Tile)
        where TKernels : struct, IAttentionKernels => TKernels.Multiply(new TileProduct
        {
            A = rows,
            RowStride = dimension,
            DepthStride = 1,
            RowCount = rowCount,
            Depth = dimension,
            Slivers = across,
            SliverCount = AttentionTuning.Tile / TKernels.SliverWidth,
            C = products,
            Stride = stride,
        });

    /// <summary>Minus infinity for what is below the smallest logit of a row.</summary>
    public static void LeaveOut(float* logits)
    {
        for (int key = 0; key < AttentionTuning.Tile; key++)
            logits[key] = logits[key] < AttentionTuning.SmallestLogit ? float.NegativeInfinity : logits[key];
    }

    /// <summary>A bit for each key of a row of logits that is not left out.</summary>
    public static ulong TakesPart(float* logits)
    {
        ulong bits = 0;
        for (int key = 0; key < AttentionTuning.Tile; key++)
            bits |= logits[key] < AttentionTuning.SmallestLogit ? 0 : 1UL << key;
        return bits;
    }
}
