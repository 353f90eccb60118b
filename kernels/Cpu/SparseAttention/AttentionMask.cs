using Kernels.Core.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>How much of a tile takes part.</summary>
internal enum TileCover
{
    None,
    Part,

    /// <summary>Every pair, and products of queries and keys are the logits.</summary>
    Whole,
}

/// <summary>From products of queries and keys to logits, minus infinity where a pair is left out; knows which tiles need not be looked at.</summary>
internal readonly unsafe struct AttentionMask<TKernels>(in AttentionCall call, in AttentionSequence sequence) where TKernels : struct, IAttentionKernels
{
    private readonly AttentionCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly bool _changesLogits = call.SoftCap > 0 || call.AlibiSlopes != null || call.AdditiveMask != null || call.BooleanMask != null;

    public TileCover Cover(in AttentionTile tile, int firstKey, int keyCount)
    {
        int first = Position(firstKey), end = Position(firstKey + keyCount - 1) + 1, last = tile.FirstQuery + tile.QueryCount - 1, sinks = _call.SinkTokens;
        long reach = EndFor(last), start = BeginFor(tile.FirstQuery);
        if (first >= reach || (end <= start && first >= sinks))
            return TileCover.None;
        bool whole = !_changesLogits && end <= EndFor(tile.FirstQuery) && (first >= BeginFor(last) || end <= sinks);
        TileCover blocks = _call.Blocks.IsNone ? TileCover.Whole : CoverOfBlocks(tile, first, end);
        return blocks == TileCover.None ? TileCover.None : whole ? blocks : TileCover.Part;
    }

    /// <summary>Makes logits of a row of products; those beyond the keys become minus infinity.</summary>
    public void Apply(int head, int query, int firstKey, int keyCount, float* scores)
    {
        if (_call.SoftCap > 0)
            TKernels.Cap(scores, _call.SoftCap);
        if (_call.AlibiSlopes != null)
            AddSlope(_call.AlibiSlopes[head], query, firstKey, keyCount, scores);
        if (_call.AdditiveMask != null)
            AddMask(_call.AdditiveMask + head * _call.AdditiveHeadStride + (long)query * _sequence.Length, firstKey, keyCount, scores);
        if (_call.BooleanMask != null)
            ApplyMask(_call.BooleanMask + head * _call.BooleanHeadStride + (long)query * _sequence.Length, firstKey, keyCount, scores);
        if (!_call.Blocks.IsNone)
            ApplyBlocks(head, query, firstKey, keyCount, scores);
        ApplyReach(query, firstKey, keyCount, scores);
        new Span<float>(scores + keyCount, AttentionTuning.Tile - keyCount).Fill(float.NegativeInfinity);
    }

    private int Position(int key) => _sequence.Positions == null ? key : _sequence.Positions[key];

    // The keys [BeginFor, EndFor) and the sinks before EndFor are within reach of a query: sinks beyond a window's end move EndFor to their own.
    private long EndFor(int query)
    {
        long position = _sequence.PositionOf(query);
        if (_call.Causal)
            return position + 1;
        return _call.Window > 0 ? Math.Min(Math.Max(position + _call.Window, _call.SinkTokens), _sequence.Length) : _sequence.Length;
    }

    private long BeginFor(int query) => _call.Window > 0 ? _sequence.PositionOf(query) - _call.Window + 1 : 0;

    private void ApplyReach(int query, int firstKey, int keyCount, float* scores)
    {
        long begin = BeginFor(query), end = EndFor(query);
        if (_sequence.Positions == null)
        {
            Leave(scores, Math.Max(0, end - firstKey), keyCount);
            Leave(scores, Math.Max(0, _call.SinkTokens - firstKey), Math.Min(keyCount, begin - firstKey));
            return;
        }
        for (int i = 0; i < keyCount; i++)
        {
            int position = Position(firstKey + i);
            if (position >= end || (position < begin && position >= _call.SinkTokens))
                scores[i] = float.NegativeInfinity;
        }
    }

    private static void Leave(float* scores, long begin, long end)
    {
        if (begin < end)
            new Span<float>(scores + begin, (int)(end - begin)).Fill(float.NegativeInfinity);
    }

    private void AddSlope(float slope, int query, int firstKey, int keyCount, float* scores)
    {
        long position = _sequence.PositionOf(query);
        for (int i = 0; i < keyCount; i++)
            scores[i] -= slope * Math.Abs(position - Position(firstKey + i));
    }

    // What is below the smallest logit leaves a pair out, even where its product is no number.
    private void AddMask(float* mask, int firstKey, int keyCount, float* scores)
    {
        for (int i = 0; i < keyCount; i++)
        {
            float addend = mask[Position(firstKey + i)];
            scores[i] = addend < AttentionTuning.SmallestLogit ? float.NegativeInfinity : scores[i] + addend;
        }
    }

    private void ApplyMask(bool* mask, int firstKey, int keyCount, float* scores)
    {
        for (int i = 0; i < keyCount; i++)
        {
            if (!mask[Position(firstKey + i)])
                scores[i] = float.NegativeInfinity;
        }
    }

    private void ApplyBlocks(int head, int query, int firstKey, int keyCount, float* scores)
    {
        ref readonly BlockMaskRows blocks = ref _call.Blocks;
        int row = blocks.Row(head, _call.Shape.QueryHeads, query), last = blocks.Offsets[row + 1];
        for (int i = 0; i < keyCount;)
        {
            int position = Position(firstKey + i), column = position / blocks.BlockColumns, begin = column * blocks.BlockColumns;
            int end = _sequence.Positions == null ? (int)Math.Min(keyCount, (long)begin + blocks.BlockColumns - firstKey) : i + 1,
                block = FirstFrom(row, column);
            if (block == last || blocks.Columns[block] != column)
                Leave(scores, i, end);
            else if (!blocks.IsWhole(block))
                ApplyBlock(block, query % blocks.BlockRows, position - begin, end - i, scores + i);
            i = end;
        }
    }

    private void ApplyBlock(int block, int rowInBlock, int columnInBlock, int count, float* scores)
    {
        for (int i = 0; i < count; i++)
        {
            if (!_call.Blocks.Allows(block, rowInBlock, columnInBlock + i))
                scores[i] = float.NegativeInfinity;
        }
    }

    private TileCover CoverOfBlocks(in AttentionTile tile, int first, int end)
    {
        ref readonly BlockMaskRows blocks = ref _call.Blocks;
        int firstColumn = first / blocks.BlockColumns, lastColumn = (end - 1) / blocks.BlockColumns, rows = 0, present = 0, whole = 0;
        for (int head = tile.FirstHead; head < tile.FirstHead + tile.HeadCount; head++)
        {
            int firstRow = blocks.Row(head, _call.Shape.QueryHeads, tile.FirstQuery),
                lastRow = blocks.Row(head, _call.Shape.QueryHeads, tile.FirstQuery + tile.QueryCount - 1);
            for (int row = firstRow; row <= lastRow; row++, rows++)
            {
                for (int block = FirstFrom(row, firstColumn); block < blocks.Offsets[row + 1] && blocks.Columns[block] <= lastColumn; block++)
                {
                    present++;
                    whole += blocks.IsWhole(block) ? 1 : 0;
                }
            }
        }
        return present == 0 ? TileCover.None : whole == rows * (lastColumn - firstColumn + 1) ? TileCover.Whole : TileCover.Part;
    }

    // The first block of a row at or behind a column, by halving.
    private int FirstFrom(int row, int column)
    {
        int low = _call.Blocks.Offsets[row], high = _call.Blocks.Offsets[row + 1];
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_call.Blocks.Columns[middle] < column)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}

/// <summary>Query rows that are handled together: queries of one head or of several; row r is head r / QueryCount and query r % QueryCount of it.</summary>
internal readonly record struct AttentionTile(int FirstHead, int HeadCount, int FirstQuery, int QueryCount)
{
    public int RowCount => HeadCount * QueryCount;

    public int HeadOf(int row) => FirstHead + row / QueryCount;

    public int QueryOf(int row) => FirstQuery + row % QueryCount;
}

/// <summary>How the query rows of a sequence are cut into tiles: by its own size alone.</summary>
internal readonly struct AttentionTiling(in AttentionShape shape, int queryCount)
{
    private readonly int _group = shape.GroupSize;
    private readonly int _queryCount = queryCount;
    private readonly int _headsPerTile = Math.Clamp(AttentionTuning.Tile / Math.Max(1, queryCount), 1, shape.GroupSize);

    public int QueryBlockCount => (_queryCount + AttentionTuning.Tile - 1) / AttentionTuning.Tile;

    public int HeadBlockCount => (_group + _headsPerTile - 1) / _headsPerTile;

    /// <summary>The number of tiles of one key-value head.</summary>
    public int Count => QueryBlockCount * HeadBlockCount;

    public AttentionTile Tile(int keyValueHead, int number)
    {
        int head = number % HeadBlockCount * _headsPerTile, query = number / HeadBlockCount * AttentionTuning.Tile;
        return new AttentionTile(keyValueHead * _group + head, Math.Min(_headsPerTile, _group - head), query,
            Math.Min(AttentionTuning.Tile, _queryCount - query));
    }
}
