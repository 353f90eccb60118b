using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Terms of one query a head over chunks of keys, from stored keys or from planes of their bits; items are [key-value heads, chunks].</summary>
internal readonly unsafe struct ScoreJob<TKernels, TFormat>(in AttentionScoreCall call, in ScoreQueries queries, in ScoreParts parts) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

    // Planes are fetched while others are scored and made terms of. A tile of 4 KiB takes less time for that than memory takes to answer and to deliver it.
    private const int TilesAhead = 2;

    private readonly AttentionScoreCall _call = call;
    private readonly ScoreQueries _queries = queries;
    private readonly ScoreParts _parts = parts;

    public void Run(long begin, long end)
    {
        for (long item = begin; item < end; item++)
        {
            int head = (int)(item / _parts.ChunkCount);
            ScoreChunk(head, (int)(item % _parts.ChunkCount), _call.Probabilities + (long)head * _call.Attention.Shape.GroupSize * _call.Stride);
        }
    }

    /// <summary>Writes the terms of a chunk to the rows [group, Stride] at <paramref name="terms"/>, and their sums to the parts.</summary>
    [SkipLocalsInit]
    public void ScoreChunk(int head, int chunk, float* terms)
    {
        int group = _call.Attention.Shape.GroupSize, begin = chunk * AttentionTuning.ChunkLength,
            end = Math.Min(_call.Attention.Sequences->KeyCount, begin + AttentionTuning.ChunkLength);
        long bytes = RentedScratch.Bytes<AttentionRow>(group);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        AttentionRow* sums = scratch.Take<AttentionRow>(group);
        new Span<AttentionRow>(sums, group).Fill(AttentionRow.Empty);
        for (int first = begin; first < end; first += Tile)
        {
            int count = Math.Min(Tile, end - first);
            if (_call.Precision == KeyPrecision.Stored)
                ScoreStored(head, first, count, terms + first);
            else
                ScorePlanes(head, first, count, terms + first);
            for (int row = 0; row < group && count < Tile; row++)
                new Span<float>(terms + row * _call.Stride + first + count, Tile - count).Fill(float.NegativeInfinity);
            for (int row = 0; (row = TKernels.AddTerms(terms + first, _call.Stride, sums, row, group)) < group; row++)
            {
                float factor = sums[row].AddTerms<TKernels>(terms + row * _call.Stride + first);
                if (factor != 1)
                    TileRows.Scale<TKernels>(terms + row * _call.Stride + begin, first - begin, factor);
            }
        }
        for (int row = 0; row < group; row++)
            *_parts.Sum(head * group + row, chunk) = sums[row];
    }

    [SkipLocalsInit]
    private void ScoreStored(int head, int first, int count, float* scores)
    {
        int group = _call.Attention.Shape.GroupSize;
        byte** keys = stackalloc byte*[Tile], values = stackalloc byte*[Tile];
        float* keyScales = stackalloc float[Tile], valueScales = stackalloc float[Tile];
        long bytes = RentedScratch.Bytes<float>((long)group * Tile);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        float* products = scratch.Take<float>((long)group * Tile);
        StreamedKeys<TFormat>.Locate(_call.Attention.Source, *_call.Attention.Sequences, head, first, count,
            new TileAddresses { Keys = keys, Values = values, KeyScales = keyScales, ValueScales = valueScales });
        TKernels.ScoreKeys<TFormat>(keys, count, new StreamedRows
        {
            Queries = _queries.Row(head * group),
            Scores = products,
            Ahead = keys,
            Count = group,
            HeadDimension = _call.Attention.Shape.HeadDimension,
            Stride = _queries.Stride,
        });
        for (int row = 0; row < group; row++)
        {
            if (TFormat.IsScaled)
                StreamedKeys<TFormat>.Multiply(products + row * Tile, keyScales, count);
            new ReadOnlySpan<float>(products + row * Tile, count).CopyTo(new Span<float>(scores + row * _call.Stride, count));
        }
    }

    // Tokens stand in blocks of 16 that never straddle a page. What the last block has beyond the tokens is scored as well, and dropped by the caller.
    [SkipLocalsInit]
    private void ScorePlanes(int head, int first, int count, float* scores)
    {
        if (_call.Attention.Sequences->Positions != null)
        {
            ScoreSome(head, first, count, scores);
            return;
        }
        const int blocks = Tile / NibbleLayout.SlotsPerBlock;
        long* own = stackalloc long[blocks], ahead = stackalloc long[blocks];
        int keyCount = _call.Attention.Sequences->KeyCount, blockCount = Locate(head, first, count, own), next = Math.Min(keyCount, first + TilesAhead * Tile);
        // Pages of a head are not contiguous, so that the processor does not foresee them.
        for (int i = Locate(head, next, Math.Min(Tile, keyCount - next), ahead); i < blockCount; i++)
            ahead[i] = own[i];
        ScoreBlocks(head, own, ahead, blockCount, scores, _call.Stride);
    }

    // The numbers of the blocks of tokens that begin with a block; a page's blocks of a head follow one another.
    private int Locate(int head, int first, int count, long* blocks)
    {
        const int slots = NibbleLayout.SlotsPerBlock;
        int blockCount = (count + slots - 1) / slots;
        for (int i = 0; i < blockCount;)
        {
            long block = RowOf(head, first + i * slots) / slots;
            for (int end = i + _call.Attention.Source.Run(*_call.Attention.Sequences, first + i * slots, (blockCount - i) * slots) / slots; i < end; i++)
                blocks[i] = block++;
        }
        return blockCount;
    }

    // Tokens here and there: a block is scored once for those of them that follow one another.
    [SkipLocalsInit]
    private void ScoreSome(int head, int first, int count, float* scores)
    {
        const int slots = NibbleLayout.SlotsPerBlock;
        int group = _call.Attention.Shape.GroupSize;
        long bytes = RentedScratch.Bytes<float>((long)group * slots);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        float* some = scratch.Take<float>((long)group * slots);
        long scored = -1;
        for (int i = 0; i < count; i++)
        {
            long row = RowOf(head, first + i), block = row / slots;
            if (block != scored)
                ScoreBlocks(head, &block, &block, 1, some, slots);
            scored = block;
            for (int h = 0; h < group; h++)
                scores[h * _call.Stride + i] = some[h * slots + row % slots];
        }
    }

    // A row's number is its element divided by d; blocks follow one another as rows do.
    private long RowOf(int head, int index) => _call.Attention.Source.Element(*_call.Attention.Sequences, head, index) / _call.Attention.Source.HeadDimension;

    // q k = scale_q scale_k (16 sum q high + sum q low + offset).
    [SkipLocalsInit]
    private void ScoreBlocks(int head, long* blocks, long* ahead, int count, float* scores, long stride)
    {
        const int slots = NibbleLayout.SlotsPerBlock, most = Tile / slots;
        int firstHead = head * _call.Attention.Shape.GroupSize;
        long bytes = (long)_queries.StepCount * slots * NibbleLayout.LaneBytes;
        ref readonly NibbleRows planes = ref _call.Attention.Planes;
        byte** pointers = stackalloc byte*[3 * most];
        float** tokenScales = stackalloc float*[most];
        var tile = new PlaneTile
        {
            High = pointers,
            Low = _call.Precision == KeyPrecision.AllBits ? pointers + most : null,
            Ahead = pointers + 2 * most,
            TokenScales = tokenScales,
            Codes = _queries.Code(firstHead),
            Scales = _queries.Scales + firstHead,
            Offsets = _queries.Offsets + firstHead,
            Scores = scores,
            Stride = stride,
            BlockCount = count,
            StepCount = _queries.StepCount,
            HeadCount = _call.Attention.Shape.GroupSize,
        };
        for (int i = 0; i < count; i++)
        {
            tile.High[i] = planes.High + blocks[i] * bytes;
            pointers[most + i] = planes.Low + blocks[i] * bytes;
            tile.Ahead[i] = planes.High + ahead[i] * bytes;
            tokenScales[i] = planes.Scales + blocks[i] * slots;
            Prefetch.Read(planes.Scales + ahead[i] * slots);
        }
        TKernels.ScorePlanes(tile);
    }
}

/// <summary>
/// A step of voting: adds the votes of one key-value head's terms, whose sums are known, and makes the next one's; items are chunks of keys. Two heads' terms
/// are all that is kept, so that they are still in a cache when they are read.
/// </summary>
internal readonly unsafe struct VoteJob<TKernels, TFormat>(in AttentionScoreCall call, in ScoreQueries queries, in ScoreParts parts, int head) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private readonly AttentionScoreCall _call = call;
    private readonly ScoreJob<TKernels, TFormat> _scores = new(call, queries, parts);
    private readonly ScoreParts _parts = parts;
    private readonly int _head = head;

    public void Run(long begin, long end)
    {
        for (long chunk = begin; chunk < end; chunk++)
        {
            AddVotes((int)chunk);
            if (_head < _call.Attention.Shape.KeyValueHeads)
                _scores.ScoreChunk(_head, (int)chunk, Terms(_head));
        }
    }

    private void AddVotes(int chunk)
    {
        int begin = chunk * AttentionTuning.ChunkLength, count = Math.Min(AttentionTuning.ChunkLength, _call.Attention.Sequences->KeyCount - begin),
            group = _call.Attention.Shape.GroupSize;
        if (_head == 0)
        {
            new Span<float>(_call.Votes + begin, count).Clear();
            return;
        }
        for (int row = 0; row < group; row++)
            TKernels.AddScaled(Terms(_head - 1) + row * _call.Stride + begin, _call.Votes + begin, count, *_parts.Factor((_head - 1) * group + row, chunk));
    }

    private float* Terms(int head) => _call.Probabilities + (head & 1) * _call.Attention.Shape.GroupSize * _call.Stride;
}

/// <summary>Makes probabilities of terms; items are [query heads, chunks].</summary>
internal readonly unsafe struct NormalizeJob<TKernels>(in AttentionScoreCall call, in ScoreParts parts) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private readonly AttentionScoreCall _call = call;
    private readonly ScoreParts _parts = parts;

    public void Run(long begin, long end)
    {
        for (long item = begin; item < end; item++)
        {
            int head = (int)(item / _parts.ChunkCount), chunk = (int)(item % _parts.ChunkCount), first = chunk * AttentionTuning.ChunkLength;
            int count = Math.Min(AttentionTuning.ChunkLength, _call.Attention.Sequences->KeyCount - first);
            TileRows.Scale<TKernels>(_call.Probabilities + head * _call.Stride + first, count, *_parts.Factor(head, chunk));
        }
    }
}
