using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Probabilities of one query over all keys, or votes of all heads: chunks of keys first, each with sums of its own, then what the merged sums make of them.
/// </summary>
internal static unsafe class AttentionScoring<TKernels, TFormat>
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    public static void Run(in AttentionScoreCall call, int threads, CancellationToken cancellation)
    {
        AttentionShape shape = call.Attention.Shape;
        int chunks = StreamPartials.ChunkCount(*call.Attention.Sequences);
        long count = (long)shape.QueryHeads * chunks;
        using var scratch = new RentedScratch(ScoreQueries.Bytes(shape) + RentedScratch.Bytes<AttentionRow>(count) + RentedScratch.Bytes<float>(count));
        ScoreQueries queries = ScoreQueries.Load(call, scratch.Take<byte>(ScoreQueries.Bytes(shape)));
        var parts = new ScoreParts { ChunkCount = chunks, Sums = scratch.Take<AttentionRow>(count), Factors = scratch.Take<float>(count) };
        if (call.Votes == null)
        {
            RangeRunner.Run(new ScoreJob<TKernels, TFormat>(call, queries, parts), (long)shape.KeyValueHeads * chunks, grain: 1, threads, cancellation);
            parts.Merge(0, shape.QueryHeads);
            RangeRunner.Run(new NormalizeJob<TKernels>(call, parts), count, grain: chunks, threads, cancellation);
            return;
        }
        for (int head = 0; head <= shape.KeyValueHeads; head++)
        {
            RangeRunner.Run(new VoteJob<TKernels, TFormat>(call, queries, parts, head), chunks, grain: 1, threads, cancellation);
            if (head < shape.KeyValueHeads)
                parts.Merge(head * shape.GroupSize, shape.GroupSize);
        }
    }
}

/// <summary>Sums of the terms of each query head and chunk of keys, and the factors that make probabilities of the terms: both [query heads, chunks].</summary>
internal unsafe struct ScoreParts
{
    public int ChunkCount;
    public AttentionRow* Sums;
    public float* Factors;

    public readonly AttentionRow* Sum(int head, int chunk) => Sums + (long)head * ChunkCount + chunk;

    public readonly float* Factor(int head, int chunk) => Factors + (long)head * ChunkCount + chunk;

    /// <summary>Factors from sums, for some query heads; chunks are added in order.</summary>
    public readonly void Merge(int firstHead, int headCount)
    {
        for (int head = firstHead; head < firstHead + headCount; head++)
        {
            AttentionRow total = AttentionRow.Empty;
            for (int chunk = 0; chunk < ChunkCount; chunk++)
                total.Exponent = Math.Max(total.Exponent, Sum(head, chunk)->Exponent);
            for (int chunk = 0; chunk < ChunkCount; chunk++)
            {
                *Factor(head, chunk) = Sum(head, chunk)->FactorTo(total.Exponent);
                total.Sum += Sum(head, chunk)->Sum * *Factor(head, chunk);
            }
            for (int chunk = 0; chunk < ChunkCount; chunk++)
                *Factor(head, chunk) *= total.Normalization;
        }
    }
}

/// <summary>One query a head, scaled, and in eight bits where planes are scored: the same for all chunks of keys.</summary>
internal unsafe struct ScoreQueries
{
    private const int LargestCode = sbyte.MaxValue;

    private float* _rows;
    private sbyte* _codes;

    /// <summary>The elements of a row: whole steps of a plane and whole registers.</summary>
    public int Stride;
    public int StepCount;

    /// <summary>For each query head what its codes are multiplied by, and what takes the planes' offset off.</summary>
    public float* Scales;
    public float* Offsets;

    public readonly float* Row(int head) => _rows + (long)head * Stride;

    public readonly sbyte* Code(int head) => _codes + (long)head * StepCount * NibbleLayout.DimensionsPerStep;

    public static long Bytes(in AttentionShape shape) =>
        RentedScratch.Bytes<byte>(shape.QueryHeads * ((sizeof(float) + sizeof(sbyte)) * (long)StrideOf(shape) + 2 * sizeof(float)));

    /// <param name="call">The call.</param>
    /// <param name="memory">As much as <see cref="Bytes"/> says.</param>
    public static ScoreQueries Load(in AttentionScoreCall call, byte* memory)
    {
        AttentionShape shape = call.Attention.Shape;
        long elements = (long)shape.QueryHeads * StrideOf(shape);
        var queries = new ScoreQueries { Stride = StrideOf(shape), StepCount = NibbleLayout.StepCount(shape.HeadDimension), _rows = (float*)memory };
        queries.Scales = queries._rows + elements;
        queries.Offsets = queries.Scales + shape.QueryHeads;
        queries._codes = (sbyte*)(queries.Offsets + shape.QueryHeads);
        for (int head = 0; head < shape.QueryHeads; head++)
        {
            queries.LoadRow(call, head);
            if (call.Precision != KeyPrecision.Stored)
                queries.Quantize(head, call.Precision == KeyPrecision.HighNibbles ? NibbleLayout.MiddleOfLow : 0);
        }
        return queries;
    }

    private static int StrideOf(in AttentionShape shape)
    {
        int count = NibbleLayout.StepCount(shape.HeadDimension) * NibbleLayout.DimensionsPerStep;
        return (count + NibbleLayout.SlotsPerBlock - 1) / NibbleLayout.SlotsPerBlock * NibbleLayout.SlotsPerBlock;
    }

    private readonly void LoadRow(in AttentionScoreCall call, int head)
    {
        int d = call.Attention.Shape.HeadDimension;
        float* from = call.Attention.Queries + (long)head * d, to = Row(head);
        for (int i = 0; i < d; i++)
            to[i] = call.Attention.Scale * from[i];
        new Span<float>(to + d, Stride - d).Clear();
    }

    private readonly void Quantize(int head, float middle)
    {
        int count = StepCount * NibbleLayout.DimensionsPerStep, sum = 0;
        float* row = Row(head);
        sbyte* codes = Code(head);
        float largest = 0;
        for (int i = 0; i < count; i++)
            largest = MathF.Max(largest, MathF.Abs(row[i]));
        float scale = largest / LargestCode;
        for (int i = 0; i < count; i++)
        {
            int code = scale > 0 ? (int)Math.Clamp(MathF.Round(row[i] / scale), -LargestCode, LargestCode) : 0;
            codes[i] = (sbyte)code;
            sum += code;
        }
        Scales[head] = scale;
        Offsets[head] = (middle - NibbleLayout.Zero) * sum;
    }
}
