using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Partial results of streamed sequences: for each item (sequence, key-value head, chunk of keys) the results and sums of its query rows, merged in the order
/// of the chunks.
/// </summary>
internal unsafe struct StreamPartials
{
    /// <summary>The first item of each sequence, and the end of the last one's; equal where a sequence is not streamed.</summary>
    public long* FirstItems;
    public int SequenceCount;

    /// <summary>The most query rows of an item.</summary>
    public int RowCount;
    public int Stride;

    /// <summary>[items, rows, Stride].</summary>
    public float* Results;

    /// <summary>[items, rows].</summary>
    public AttentionRow* Rows;

    public static int ChunkCount(in AttentionSequence sequence) =>
        Math.Max(1, (sequence.KeyCount + AttentionTuning.ChunkLength - 1) / AttentionTuning.ChunkLength);

    public readonly float* Result(long item, int row) => Results + (item * RowCount + row) * Stride;

    public readonly AttentionRow* Row(long item, int row) => Rows + item * RowCount + row;

    /// <summary>The sequence that an item belongs to.</summary>
    public readonly int SequenceOf(long item)
    {
        int low = 0, high = SequenceCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (FirstItems[middle] <= item)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }
}

/// <summary>Attention of few query rows over keys and values as they are stored: every row is read once for all heads of its group.</summary>
internal readonly unsafe struct AttentionStreamJob<TKernels, TFormat>(in AttentionCall call, in StreamPartials partials) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly StreamPartials _partials = partials;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        // Whole lines: every register of a query is read for every few keys, and one that straddles two lines costs two reads.
        long bytes = RentedScratch.Bytes<float>(_partials.RowCount * _partials.Stride) + RentedScratch.Bytes<float>(_partials.RowCount * Tile);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        float* queries = scratch.Take<float>(_partials.RowCount * _partials.Stride), scores = scratch.Take<float>(_partials.RowCount * Tile);
        for (long item = begin; item < end; item++)
        {
            ref readonly AttentionSequence sequence = ref _call.Sequences[_partials.SequenceOf(item)];
            long number = item - _partials.FirstItems[_partials.SequenceOf(item)];
            int chunks = StreamPartials.ChunkCount(sequence), head = (int)(number / chunks), chunk = (int)(number % chunks), group = _call.Shape.GroupSize;
            var tile = new AttentionTile(head * group, group, 0, sequence.QueryCount);
            LoadQueries(sequence, tile, queries);
            var rows = new StreamedRows
            {
                Queries = queries,
                Scores = scores,
                Output = _partials.Result(item, 0),
                Count = tile.RowCount,
                HeadDimension = _call.Shape.HeadDimension,
                Stride = _partials.Stride,
            };
            AddChunk(sequence, tile, chunk * AttentionTuning.ChunkLength, rows, _partials.Row(item, 0), isApart: false);
            // 0 times what is not finite is no number, which shows in the results: they are made anew, without the values that are left out.
            if (TilePacking<TKernels>.HasSpecial(rows.Output, tile.RowCount * _partials.Stride))
                AddChunk(sequence, tile, chunk * AttentionTuning.ChunkLength, rows, _partials.Row(item, 0), isApart: true);
        }
    }

    // The next tile's addresses are known while a tile is worked on: its keys are fetched while values are added, and values while keys are scored.
    [SkipLocalsInit]
    private void AddChunk(in AttentionSequence sequence, in AttentionTile tile, int begin, in StreamedRows rows, AttentionRow* sums, bool isApart)
    {
        new Span<float>(rows.Output, rows.Count * rows.Stride).Clear();
        new Span<AttentionRow>(sums, rows.Count).Fill(AttentionRow.Empty);
        byte** addresses = stackalloc byte*[4 * Tile];
        float* scales = stackalloc float[4 * Tile];
        var tileKeys = new TileAddresses { Keys = addresses, Values = addresses + Tile, KeyScales = scales, ValueScales = scales + Tile };
        var nextKeys = new TileAddresses
        {
            Keys = addresses + 2 * Tile,
            Values = addresses + 3 * Tile,
            KeyScales = scales + 2 * Tile,
            ValueScales = scales + 3
            * Tile
        };
        var mask = new AttentionMask<TKernels>(_call, sequence);
        int head = tile.FirstHead / _call.Shape.GroupSize, end = Math.Min(sequence.KeyCount, begin + AttentionTuning.ChunkLength), located = -1;
        for (int first = begin; first < end; first += Tile)
        {
            int count = Math.Min(Tile, end - first), next = first + Tile;
            TileCover cover = mask.Cover(tile, first, count);
            if (cover == TileCover.None)
            {
                KeepTerms(sequence, tile, first, count, null);
                continue;
            }
            if (located != first)
                StreamedKeys<TFormat>.Locate(_call.Source, sequence, head, first, count, tileKeys);
            if (next < end)
                StreamedKeys<TFormat>.Locate(_call.Source, sequence, head, next, Math.Min(Tile, end - next), nextKeys);
            located = next;
            AddTile(sequence, tile, mask, cover, begin, first, count, rows, sums, tileKeys, next < end ? nextKeys : tileKeys, isApart);
            (tileKeys, nextKeys) = (nextKeys, tileKeys);
        }
    }

    private void AddTile(
        in AttentionSequence sequence, in AttentionTile tile, in AttentionMask<TKernels> mask, TileCover cover, int begin, int first, int count,
        in StreamedRows rows, AttentionRow* sums,
        in TileAddresses own, in TileAddresses next, bool isApart)
    {
        StreamedRows scored = rows with { Ahead = own.Values }, added = rows with { Ahead = next.Keys };
        TKernels.ScoreKeys<TFormat>(own.Keys, count, scored);
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* scores = rows.Scores + row * Tile;
            if (TFormat.IsScaled)
                StreamedKeys<TFormat>.Multiply(scores, own.KeyScales, count);
            if (cover == TileCover.Part || count < Tile)
                mask.Apply(tile.HeadOf(row), tile.QueryOf(row), first, count, scores);
        }
        if (isApart)
            AddApart(sequence, tile, begin, first, count, added, sums, own.Values, own.ValueScales);
        else
            AddTogether(sequence, tile, begin, first, count, added, sums, own.Values, own.ValueScales);
    }

    private void AddTogether(in AttentionSequence sequence, in AttentionTile tile, int begin, int first, int count, in StreamedRows rows, AttentionRow* sums,
        byte** values, float* valueScales)
    {
        AddTerms(sequence, tile, begin, first, rows, sums);
        KeepTerms(sequence, tile, first, count, rows.Scores);
        for (int row = 0; TFormat.IsScaled && row < tile.RowCount; row++)
            StreamedKeys<TFormat>.Multiply(rows.Scores + row * Tile, valueScales, count);
        TKernels.AddValues<TFormat>(values, count, rows);
    }

    // Row by row, with the keys of each row alone: a value that is left out is not touched, whatever it is. Sums of finite values are the same bits.
    [SkipLocalsInit]
    private void AddApart(in AttentionSequence sequence, in AttentionTile tile, int begin, int first, int count, in StreamedRows rows, AttentionRow* sums,
        byte** values, float* valueScales)
    {
        ulong* takesPart = stackalloc ulong[tile.RowCount];
        for (int row = 0; row < tile.RowCount; row++)
            takesPart[row] = TileRows.TakesPart(rows.Scores + row * Tile);
        AddTerms(sequence, tile, begin, first, rows, sums);
        KeepTerms(sequence, tile, first, count, rows.Scores);
        for (int row = 0; row < tile.RowCount; row++)
            StreamedKeys<TFormat>.AddSome<TKernels>(values, valueScales, takesPart[row], row, rows);
    }

    private void AddTerms(in AttentionSequence sequence, in AttentionTile tile, int begin, int first, in StreamedRows rows, AttentionRow* sums)
    {
        for (int row = 0; (row = TKernels.AddTerms(rows.Scores, Tile, sums, row, tile.RowCount)) < tile.RowCount; row++)
        {
            float factor = sums[row].AddTerms<TKernels>(rows.Scores + row * Tile);
            if (factor == 1)
                continue;
            TileRows.Scale<TKernels>(rows.Output + row * rows.Stride, rows.Stride, factor);
            if (_call.ColumnSums != null)
                TileRows.Scale<TKernels>(_call.ColumnSums + tile.HeadOf(row) * _call.ColumnSumStride + sequence.KeyBegin + begin, first - begin, factor);
        }
    }

    // A single query's terms are its column sums, but for the factor that the merge brings.
    private void KeepTerms(in AttentionSequence sequence, in AttentionTile tile, int first, int count, float* terms)
    {
        for (int row = 0; _call.ColumnSums != null && row < tile.RowCount; row++)
        {
            var kept = new Span<float>(_call.ColumnSums + tile.HeadOf(row) * _call.ColumnSumStride + sequence.KeyBegin + first, count);
            if (terms == null)
                kept.Clear();
            else
                new ReadOnlySpan<float>(terms + row * Tile, count).CopyTo(kept);
        }
    }

    private void LoadQueries(in AttentionSequence sequence, in AttentionTile tile, float* queries)
    {
        int d = _call.Shape.HeadDimension;
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* from = _call.Queries + ((long)(sequence.QueryBegin + tile.QueryOf(row)) * _call.Shape.QueryHeads + tile.HeadOf(row)) * d,
                to = queries + row * _partials.Stride;
            for (int i = 0; i < d; i++)
                to[i] = _call.Scale * from[i];
            new Span<float>(to + d, _partials.Stride - d).Clear();
        }
    }
}

/// <summary>Merges the chunks of each query row; items are [sequences, query heads].</summary>
internal readonly unsafe struct StreamMergeJob<TKernels>(in AttentionCall call, in StreamPartials partials) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private readonly AttentionCall _call = call;
    private readonly StreamPartials _partials = partials;

    public void Run(long begin, long end)
    {
        for (long item = begin; item < end; item++)
        {
            int sequence = (int)(item / _call.Shape.QueryHeads);
            if (_partials.FirstItems[sequence] == _partials.FirstItems[sequence + 1])
                continue;
            for (int query = 0; query < _call.Sequences[sequence].QueryCount; query++)
                Merge(sequence, (int)(item % _call.Shape.QueryHeads), query);
        }
    }

    private void Merge(int number, int head, int query)
    {
        ref readonly AttentionSequence sequence = ref _call.Sequences[number];
        int chunks = StreamPartials.ChunkCount(sequence), group = _call.Shape.GroupSize, d = _call.Shape.HeadDimension, row = head % group * sequence.QueryCount
            + query;
        long first = _partials.FirstItems[number] + (long)(head / group) * chunks, place = (long)(sequence.QueryBegin + query) * _call.Shape.QueryHeads + head;
        AttentionRow total = AttentionRow.Empty;
        for (int chunk = 0; chunk < chunks; chunk++)
            total.Exponent = Math.Max(total.Exponent, _partials.Row(first + chunk, row)->Exponent);
        float* output = _call.Output + place * d;
        new Span<float>(output, d).Clear();
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            AttentionRow part = *_partials.Row(first + chunk, row);
            float factor = part.FactorTo(total.Exponent);
            total.Sum += part.Sum * factor;
            TKernels.AddScaled(_partials.Result(first + chunk, row), output, d, factor);
        }
        TileRows.Scale<TKernels>(output, d, total.Normalization);
        if (_call.LogSumExp != null)
            _call.LogSumExp[place] = total.LogSumExp;
        for (int chunk = 0; _call.ColumnSums != null && chunk < chunks; chunk++)
        {
            int key = chunk * AttentionTuning.ChunkLength;
            ScaleTerms(_call.ColumnSums + head * _call.ColumnSumStride + sequence.KeyBegin + key,
                Math.Min(AttentionTuning.ChunkLength, sequence.KeyCount - key),
                _partials.Row(first + chunk, row)->FactorTo(total.Exponent) * total.Normalization);
        }
    }

    // Keys that are left out have sums of 0, even in a row that is no number.
    private static void ScaleTerms(float* terms, int count, float factor)
    {
        if (!float.IsNaN(factor))
        {
            TileRows.Scale<TKernels>(terms, count, factor);
            return;
        }
        for (int i = 0; i < count; i++)
            terms[i] = terms[i] == 0 ? 0 : factor;
    }
}
