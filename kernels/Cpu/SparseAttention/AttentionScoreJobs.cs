using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Probabilities of one query over all keys, from stored keys or from planes of their bits; items are key-value heads.</summary>
internal readonly unsafe struct ScoreJob<TKernels, TFormat>(in AttentionScoreCall call) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;
    private const int LargestCode = sbyte.MaxValue;

    private readonly AttentionScoreCall _call = call;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        AttentionShape shape = _call.Attention.Shape;
        int group = shape.GroupSize, steps = KeyPlaneLayout.StepCount(shape.HeadDimension), stride = steps * KeyPlaneLayout.DimensionsPerStep;
        stride = (stride + KeyPlaneLayout.SlotsPerBlock - 1) / KeyPlaneLayout.SlotsPerBlock * KeyPlaneLayout.SlotsPerBlock;
        float* queries = stackalloc float[group * stride], scores = stackalloc float[group * Tile], scales = stackalloc float[group], offsets = stackalloc float[group];
        sbyte* codes = stackalloc sbyte[group * steps * KeyPlaneLayout.DimensionsPerStep];
        AttentionRow* sums = stackalloc AttentionRow[group];
        for (long head = begin; head < end; head++)
        {
            LoadQueries((int)head, stride, queries);
            if (_call.Precision != KeyPrecision.Stored)
                Quantize(queries, stride, steps, codes, scales, offsets);
            new Span<AttentionRow>(sums, group).Fill(AttentionRow.Empty);
            var rows = new StreamedRows { Queries = queries, Scores = scores, Count = group, HeadDimension = shape.HeadDimension, Stride = stride };
            for (int first = 0; first < _call.Attention.Sequences->KeyCount; first += Tile)
            {
                int count = Math.Min(Tile, _call.Attention.Sequences->KeyCount - first);
                if (_call.Precision == KeyPrecision.Stored)
                    ScoreStored((int)head, first, count, rows);
                else
                    ScorePlanes((int)head, first, count, steps, codes, scales, offsets, scores);
                AddTerms((int)head, first, count, scores, sums);
            }
            Finish((int)head, sums);
        }
    }

    private void LoadQueries(int head, int stride, float* queries)
    {
        int d = _call.Attention.Shape.HeadDimension, group = _call.Attention.Shape.GroupSize;
        for (int row = 0; row < group; row++)
        {
            float* from = _call.Attention.Queries + (long)(head * group + row) * d, to = queries + row * stride;
            for (int i = 0; i < d; i++)
                to[i] = _call.Attention.Scale * from[i];
            new Span<float>(to + d, stride - d).Clear();
        }
    }

    // Queries in eight bits; the sum of a query's codes takes the planes' offset off.
    private void Quantize(float* queries, int stride, int steps, sbyte* codes, float* scales, float* offsets)
    {
        int count = steps * KeyPlaneLayout.DimensionsPerStep;
        float middle = _call.Precision == KeyPrecision.HighBits ? KeyPlaneLayout.MiddleOfLow : 0;
        for (int row = 0; row < _call.Attention.Shape.GroupSize; row++)
        {
            float largest = 0;
            for (int i = 0; i < count; i++)
                largest = MathF.Max(largest, MathF.Abs(queries[row * stride + i]));
            scales[row] = largest / LargestCode;
            int sum = 0;
            for (int i = 0; i < count; i++)
            {
                int code = scales[row] > 0 ? (int)Math.Clamp(MathF.Round(queries[row * stride + i] / scales[row]), -LargestCode, LargestCode) : 0;
                codes[row * count + i] = (sbyte)code;
                sum += code;
            }
            offsets[row] = (middle - KeyPlaneLayout.Zero) * sum;
        }
    }

    [SkipLocalsInit]
    private void ScoreStored(int head, int first, int count, in StreamedRows rows)
    {
        byte** keys = stackalloc byte*[Tile], values = stackalloc byte*[Tile];
        float* keyScales = stackalloc float[Tile], valueScales = stackalloc float[Tile];
        StreamedKeys<TFormat>.Locate(_call.Attention.Source, *_call.Attention.Sequences, head, first, count, new TileAddresses { Keys = keys, Values = values, KeyScales = keyScales, ValueScales = valueScales });
        StreamedRows ahead = rows with { Ahead = keys };
        TKernels.ScoreKeys<TFormat>(keys, count, ahead);
        for (int row = 0; TFormat.IsScaled && row < rows.Count; row++)
            StreamedKeys<TFormat>.Multiply(rows.Scores + row * Tile, keyScales, count);
    }

    // Tokens stand in blocks of 16 that never straddle a page; a block of which any token is wanted is scored once.
    [SkipLocalsInit]
    private void ScorePlanes(int head, int first, int count, int steps, sbyte* codes, float* scales, float* offsets, float* scores)
    {
        ref readonly AttentionSequence sequence = ref *_call.Attention.Sequences;
        ref readonly KeyValueRows source = ref _call.Attention.Source;
        int group = _call.Attention.Shape.GroupSize;
        float* blockScores = stackalloc float[group * Tile];
        long scored = -1;
        for (int i = 0; i < count;)
        {
            // A row's number is its element divided by d; blocks follow one another as rows do.
            long row = source.Element(sequence, head, first + i) / source.HeadDimension, block = row / KeyPlaneLayout.SlotsPerBlock;
            int lane = (int)(row % KeyPlaneLayout.SlotsPerBlock), run = sequence.Positions == null ? Math.Min(count - i, KeyPlaneLayout.SlotsPerBlock - lane) : 1;
            if (block != scored)
                ScoreBlock(block, steps, codes, scales, offsets, blockScores);
            scored = block;
            for (int h = 0; h < group; h++)
                new ReadOnlySpan<float>(blockScores + h * Tile + lane, run).CopyTo(new Span<float>(scores + h * Tile + i, run));
            i += run;
        }
    }

    // q k = scale_q scale_k (16 sum q high + sum q low + offset).
    [SkipLocalsInit]
    private void ScoreBlock(long block, int steps, sbyte* codes, float* scales, float* offsets, float* scores)
    {
        const int slots = KeyPlaneLayout.SlotsPerBlock;
        int group = _call.Attention.Shape.GroupSize;
        long offset = block * steps * slots * KeyPlaneLayout.LaneBytes;
        float* low = stackalloc float[group * Tile];
        TKernels.ScorePlane(_call.Attention.Planes.High + offset, steps, codes, group, scores);
        if (_call.Precision == KeyPrecision.AllBits)
            TKernels.ScorePlane(_call.Attention.Planes.Low + offset, steps, codes, group, low);
        for (int h = 0; h < group; h++)
            TKernels.FinishDots(scores + h * Tile, _call.Precision == KeyPrecision.AllBits ? low + h * Tile : null, _call.Attention.Planes.Scales + block * slots, scales[h], offsets[h]);
    }

    private void AddTerms(int head, int first, int count, float* scores, AttentionRow* sums)
    {
        int group = _call.Attention.Shape.GroupSize;
        for (int row = 0; row < group; row++)
        {
            float* terms = _call.Probabilities + (long)(head * group + row) * _call.Stride, own = scores + row * Tile;
            new Span<float>(own + count, Tile - count).Fill(float.NegativeInfinity);
            float factor = sums[row].AddTerms<TKernels>(own);
            if (factor != 1)
                TKernels.Scale(terms, first, factor);
            new ReadOnlySpan<float>(own, Tile).CopyTo(new Span<float>(terms + first, Tile));
        }
    }

    private void Finish(int head, AttentionRow* sums)
    {
        int group = _call.Attention.Shape.GroupSize;
        float* votes = _call.Votes == null ? null : _call.Votes + head * _call.Stride;
        if (votes != null)
            new Span<float>(votes, checked((int)_call.Stride)).Clear();
        for (int row = 0; row < group; row++)
        {
            float* terms = _call.Probabilities + (long)(head * group + row) * _call.Stride;
            if (votes == null)
                TKernels.Scale(terms, _call.Attention.Sequences->KeyCount, sums[row].Normalization);
            else
                TKernels.AddScaled(terms, votes, _call.Attention.Sequences->KeyCount, sums[row].Normalization);
        }
    }
}

/// <summary>Outputs from probabilities, of which many are 0; items are key-value heads.</summary>
internal readonly unsafe struct WeighJob<TKernels, TFormat>(in AttentionScoreCall call, int stride) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionScoreCall _call = call;
    private readonly int _stride = stride;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        AttentionShape shape = _call.Attention.Shape;
        byte** keys = stackalloc byte*[Tile], values = stackalloc byte*[Tile];
        float* keyScales = stackalloc float[Tile], valueScales = stackalloc float[Tile], output = stackalloc float[_stride];
        for (long head = begin * shape.GroupSize; head < end * shape.GroupSize; head++)
        {
            float* probabilities = _call.Probabilities + head * _call.Stride;
            new Span<float>(output, _stride).Clear();
            for (int first = 0; first < _call.Attention.Sequences->KeyCount; first += Tile)
            {
                int count = Math.Min(Tile, _call.Attention.Sequences->KeyCount - first);
                ulong takesPart = NotZero(probabilities + first, count);
                if (takesPart == 0)
                    continue;
                StreamedKeys<TFormat>.Locate(_call.Attention.Source, *_call.Attention.Sequences, (int)head / shape.GroupSize, first, count, new TileAddresses { Keys = keys, Values = values, KeyScales = keyScales, ValueScales = valueScales });
                var rows = new StreamedRows { Scores = probabilities + first, Output = output, Ahead = values, Count = 1, HeadDimension = shape.HeadDimension, Stride = _stride };
                StreamedKeys<TFormat>.AddSome<TKernels>(values, valueScales, takesPart, 0, rows);
            }
            new ReadOnlySpan<float>(output, shape.HeadDimension).CopyTo(new Span<float>(_call.Attention.Output + head * shape.HeadDimension, shape.HeadDimension));
        }
    }

    private static ulong NotZero(float* probabilities, int count)
    {
        ulong bits = 0;
        for (int key = 0; key < count; key++)
            bits |= probabilities[key] == 0 ? 0 : 1UL << key;
        return bits;
    }
}
