using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Terms of one query a head over chunks of keys, from stored keys or from planes of their bits; items are [key-value heads, chunks].</summary>
internal readonly unsafe struct ScoreJob<TKernels, TFormat>(in AttentionScoreCall call, in ScoreQueries queries, in ScoreParts parts) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

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
        int group = _call.Attention.Shape.GroupSize, begin = chunk * AttentionTuning.ChunkLength, end = Math.Min(_call.Attention.Sequences->KeyCount, begin + AttentionTuning.ChunkLength);
        AttentionRow* sums = stackalloc AttentionRow[group];
        new Span<AttentionRow>(sums, group).Fill(AttentionRow.Empty);
        for (int first = begin; first < end; first += Tile)
        {
            int count = Math.Min(Tile, end - first);
            if (_call.Precision == KeyPrecision.Stored)
                ScoreStored(head, first, count, terms + first);
            else
                ScorePlanes(head, first, count, terms + first);
            for (int row = 0; row < group; row++)
            {
                float* own = terms + row * _call.Stride;
                new Span<float>(own + first + count, Tile - count).Fill(float.NegativeInfinity);
                float factor = sums[row].AddTerms<TKernels>(own + first);
                if (factor != 1)
                    TKernels.Scale(own + begin, first - begin, factor);
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
        float* keyScales = stackalloc float[Tile], valueScales = stackalloc float[Tile], products = stackalloc float[group * Tile];
        StreamedKeys<TFormat>.Locate(_call.Attention.Source, *_call.Attention.Sequences, head, first, count, new TileAddresses { Keys = keys, Values = values, KeyScales = keyScales, ValueScales = valueScales });
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

    // Tokens stand in blocks of 16 that never straddle a page; whole blocks are scored in place, of others a copy of what is wanted is taken.
    [SkipLocalsInit]
    private void ScorePlanes(int head, int first, int count, float* scores)
    {
        const int slots = KeyPlaneLayout.SlotsPerBlock;
        ref readonly AttentionSequence sequence = ref *_call.Attention.Sequences;
        int group = _call.Attention.Shape.GroupSize;
        float* some = stackalloc float[group * slots];
        long scored = -1;
        for (int i = 0; i < count;)
        {
            long row = RowOf(head, first + i), block = row / slots;
            int lane = (int)(row % slots), run = sequence.Positions == null ? Math.Min(count - i, slots - lane) : 1;
            if (run == slots)
            {
                // A page's rows of a head are contiguous, but pages are not: what comes a tile later is fetched now.
                ScoreBlock(head, block, RowOf(head, Math.Min(first + i + Tile, sequence.KeyCount - 1)) / slots, scores + i, _call.Stride);
            }
            else
            {
                if (block != scored)
                    ScoreBlock(head, block, block, some, slots);
                scored = block;
                for (int h = 0; h < group; h++)
                    new ReadOnlySpan<float>(some + h * slots + lane, run).CopyTo(new Span<float>(scores + h * _call.Stride + i, run));
            }
            i += run;
        }
    }

    // A row's number is its element divided by d; blocks follow one another as rows do.
    private long RowOf(int head, int index) => _call.Attention.Source.Element(*_call.Attention.Sequences, head, index) / _call.Attention.Source.HeadDimension;

    // q k = scale_q scale_k (16 sum q high + sum q low + offset).
    [SkipLocalsInit]
    private void ScoreBlock(int head, long block, long ahead, float* scores, long stride)
    {
        const int slots = KeyPlaneLayout.SlotsPerBlock;
        int group = _call.Attention.Shape.GroupSize;
        long bytes = (long)_queries.StepCount * slots * KeyPlaneLayout.LaneBytes;
        ref readonly KeyPlaneRows planes = ref _call.Attention.Planes;
        sbyte* codes = _queries.Code(head * group);
        float* low = null;
        Prefetch.Read(planes.Scales + ahead * slots);
        TKernels.ScorePlane(planes.High + block * bytes, planes.High + ahead * bytes, _queries.StepCount, codes, group, scores, stride);
        if (_call.Precision == KeyPrecision.AllBits)
        {
            float* lowScores = stackalloc float[group * slots];
            low = lowScores;
            TKernels.ScorePlane(planes.Low + block * bytes, planes.Low + ahead * bytes, _queries.StepCount, codes, group, low, slots);
        }
        for (int h = 0; h < group; h++)
            TKernels.FinishDots(scores + h * stride, low == null ? null : low + h * slots, planes.Scales + block * slots, _queries.Scales[head * group + h], _queries.Offsets[head * group + h]);
    }
}

/// <summary>
/// A step of voting: adds the votes of one key-value head's terms, whose sums are known, and makes the next one's; items are chunks of keys. Two heads' terms are all that is
/// kept, so that they are still in a cache when they are read.
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
        int begin = chunk * AttentionTuning.ChunkLength, count = Math.Min(AttentionTuning.ChunkLength, _call.Attention.Sequences->KeyCount - begin), group = _call.Attention.Shape.GroupSize;
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
            TKernels.Scale(_call.Probabilities + head * _call.Stride + first, count, *_parts.Factor(head, chunk));
        }
    }
}
