using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// The driver: few query rows are streamed over stored keys in chunks, more of them take packed panels in tiles. Partition depends on sizes alone. Knows no
/// instruction set.
/// </summary>
internal sealed unsafe class SparseAttentionCpu<TKernels, TFormat> : ISparseAttentionBackend
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    // Keys across; values, where there is an output; for gradients keys and values across as well.
    private const int SumArrays = 1, ForwardArrays = 2, GradientArrays = 4;

    public void Attend(in AttentionCall call, in KernelOptions options)
    {
        int threads = ThreadCount(call, options);
        Stream(call, threads, options.CancellationToken);
        for (int i = 0; i < call.SequenceCount; i++)
        {
            if (!IsStreamed(call, call.Sequences[i]) && call.Sequences[i].QueryCount > 0)
                AttendInTiles(call, call.Sequences[i], threads, options.CancellationToken);
            else if (call.Sequences[i].QueryCount == 0 && call.ColumnSums != null)
                ClearColumns(call, call.Sequences[i]);
        }
    }

    public void Backward(in AttentionGradientCall call, in KernelOptions options)
    {
        int threads = ThreadCount(call.Forward, options);
        for (int i = 0; i < call.Forward.SequenceCount; i++)
        {
            AttentionSequence sequence = call.Forward.Sequences[i];
            if (sequence.QueryCount == 0)
                continue;
            PackedPanels panels = Describe(call.Forward, sequence, GradientArrays, out int headsAtOnce, out long bytes);
            using var scratch = new RentedScratch(bytes);
            Divide(ref panels, GradientArrays, headsAtOnce, scratch.Take<byte>(bytes));
            for (int head = 0; head < call.Forward.Shape.KeyValueHeads; head += headsAtOnce)
            {
                Pack(call.Forward, sequence, ref panels, head, headsAtOnce, threads, options.CancellationToken);
                var queries = new QueryGradientJob<TKernels>(call, sequence, panels);
                RangeRunner.Run(queries, queries.ItemCount, grain: 1, threads, options.CancellationToken);
                var keys = new KeyGradientJob<TKernels>(call, sequence, panels);
                RangeRunner.Run(keys, (long)panels.HeadCount * panels.PanelCount, grain: 1, threads, options.CancellationToken);
            }
        }
    }

    public void Score(in AttentionScoreCall call, in KernelOptions options) =>
        AttentionScoring<TKernels, TFormat>.Run(call, ThreadCount(call.Attention, options), options.CancellationToken);

    public void Weigh(in AttentionScoreCall call, in KernelOptions options) => RangeRunner.Run(
        new WeighJob<TKernels, TFormat>(call, TilePacking<TKernels>.Padded(call.Attention.Shape.HeadDimension)), call.Attention.Shape.KeyValueHeads, grain: 1,
        ThreadCount(call.Attention, options), options.CancellationToken);

    public void PlanBlocks(in BlockPlanCall call, in KernelOptions options)
    {
        double products = (double)call.QueryCount * call.Sizes.CompressedCount(call.KeyCount) * call.Shape.QueryRowLength;
        BlockPlanning<TKernels>.Run(call, ThreadCount(products, options), options.CancellationToken);
    }

    private static bool IsStreamed(in AttentionCall call, in AttentionSequence sequence)
    {
        int group = call.Shape.GroupSize;
        if (call.Output == null)
            return false;
        if (sequence.QueryCount == 1)
            return group <= AttentionTuning.Tile;
        return sequence.QueryCount > 0 && call.ColumnSums == null && sequence.QueryCount * (long)group <= AttentionTuning.LargestStreamedRowCount;
    }

    private static void Stream(in AttentionCall call, int threads, CancellationToken cancellation)
    {
        var partials = new StreamPartials { SequenceCount = call.SequenceCount, Stride = TilePacking<TKernels>.Padded(call.Shape.HeadDimension) };
        long items = 0;
        for (int i = 0; i < call.SequenceCount; i++)
        {
            if (!IsStreamed(call, call.Sequences[i]))
                continue;
            items += (long)StreamPartials.ChunkCount(call.Sequences[i]) * call.Shape.KeyValueHeads;
            partials.RowCount = Math.Max(partials.RowCount, call.Sequences[i].QueryCount * call.Shape.GroupSize);
        }
        if (items == 0)
            return;
        long rows = items * partials.RowCount;
        using var scratch = new RentedScratch(RentedScratch.Bytes<long>(call.SequenceCount + 1) + RentedScratch.Bytes<float>(rows * partials.Stride)
            + RentedScratch.Bytes<AttentionRow>(rows));
        partials.FirstItems = scratch.Take<long>(call.SequenceCount + 1);
        partials.Results = scratch.Take<float>(rows * partials.Stride);
        partials.Rows = scratch.Take<AttentionRow>(rows);
        long first = 0;
        for (int i = 0; i < call.SequenceCount; i++)
        {
            partials.FirstItems[i] = first;
            first += IsStreamed(call, call.Sequences[i]) ? (long)StreamPartials.ChunkCount(call.Sequences[i]) * call.Shape.KeyValueHeads : 0;
        }
        partials.FirstItems[call.SequenceCount] = first;
        if (typeof(TFormat) == typeof(HalfFormat) && call.Source.IsFinite)
            RangeRunner.Run(new AttentionStreamJob<TKernels, FiniteHalfFormat>(call, partials), items, grain: 1, threads, cancellation);
        else
            RangeRunner.Run(new AttentionStreamJob<TKernels, TFormat>(call, partials), items, grain: 1, threads, cancellation);
        RangeRunner.Run(new StreamMergeJob<TKernels>(call, partials), (long)call.SequenceCount * call.Shape.QueryHeads, call.Shape.GroupSize, threads,
            cancellation);
    }

    private static void AttendInTiles(in AttentionCall call, in AttentionSequence sequence, int threads, CancellationToken cancellation)
    {
        int arrays = call.Output == null ? SumArrays : ForwardArrays;
        PackedPanels panels = Describe(call, sequence, arrays, out int headsAtOnce, out long bytes);
        bool keepsSums = call.ColumnSums != null && call.LogSumExp == null;
        long sums = keepsSums ? (long)(sequence.QueryBegin + sequence.QueryCount) * call.Shape.QueryHeads : 0;
        long parts = call.DiagonalSums == null ? 0 : (long)headsAtOnce * panels.PanelCount * call.Shape.GroupSize * DiagonalParts.Length;
        using var scratch = new RentedScratch(bytes + RentedScratch.Bytes<float>(sums) + RentedScratch.Bytes<double>(parts));
        Divide(ref panels, arrays, headsAtOnce, scratch.Take<byte>(bytes));
        float* logSumExp = keepsSums ? scratch.Take<float>(sums) : call.LogSumExp;
        var diagonals = new DiagonalParts { GroupSize = call.Shape.GroupSize, Sums = parts == 0 ? null : scratch.Take<double>(parts) };
        for (int head = 0; head < call.Shape.KeyValueHeads; head += headsAtOnce)
        {
            Pack(call, sequence, ref panels, head, headsAtOnce, threads, cancellation);
            var tiles = new AttentionTileJob<TKernels>(call, sequence, panels, logSumExp);
            RangeRunner.Run(tiles, tiles.ItemCount, grain: 1, threads, cancellation);
            long items = (long)panels.HeadCount * panels.PanelCount;
            if (call.ColumnSums != null)
                RangeRunner.Run(new ColumnSumJob<TKernels>(call, sequence, panels, diagonals, logSumExp), items, grain: 1, threads, cancellation);
            if (call.DiagonalSums != null)
                RangeRunner.Run(new DiagonalSumJob(call, sequence, panels, diagonals), items, grain: 1, threads, cancellation);
        }
    }

    private static PackedPanels Describe(in AttentionCall call, in AttentionSequence sequence, int arrays, out int headsAtOnce, out long bytes)
    {
        var panels = new PackedPanels
        {
            PanelCount = (sequence.KeyCount + AttentionTuning.Tile - 1) / AttentionTuning.Tile,
            HeadDimension = call.Shape.HeadDimension,
            PaddedDimension = TilePacking<TKernels>.Padded(call.Shape.HeadDimension),
        };
        long perHead = arrays * panels.PanelCount * panels.PanelLength * sizeof(float);
        headsAtOnce = (int)Math.Clamp(AttentionTuning.PackedBytes / Math.Max(1, perHead), 1, call.Shape.KeyValueHeads);
        long count = (long)headsAtOnce * panels.PanelCount;
        bytes = RentedScratch.Bytes<byte>(arrays * count * panels.PanelLength * sizeof(float) + count);
        return panels;
    }

    // Panels are whole cache lines, so that aligned memory makes them aligned.
    private static void Divide(ref PackedPanels panels, int arrays, int headsAtOnce, byte* memory)
    {
        long count = (long)headsAtOnce * panels.PanelCount, length = count * panels.PanelLength;
        panels.KeysAcross = (float*)memory;
        panels.Values = panels.KeysAcross + length;
        if (arrays == GradientArrays)
        {
            panels.Keys = panels.Values + length;
            panels.ValuesAcross = panels.Keys + length;
        }
        panels.HasSpecialValues = (bool*)((float*)memory + arrays * length);
    }

    private static void Pack(in AttentionCall call, in AttentionSequence sequence, ref PackedPanels panels, int head, int headsAtOnce, int threads,
        CancellationToken cancellation)
    {
        panels.FirstHead = head;
        panels.HeadCount = Math.Min(headsAtOnce, call.Shape.KeyValueHeads - head);
        RangeRunner.Run(new PackJob<TKernels, TFormat>(call, sequence, panels), (long)panels.HeadCount * panels.PanelCount, grain: 1, threads, cancellation);
    }

    private static void ClearColumns(in AttentionCall call, in AttentionSequence sequence)
    {
        for (int head = 0; head < call.Shape.QueryHeads; head++)
            new Span<float>(call.ColumnSums + head * call.ColumnSumStride + sequence.KeyBegin, sequence.KeyCount).Clear();
    }

    // Products with keys and with values.
    private static int ThreadCount(in AttentionCall call, in KernelOptions options)
    {
        double products = 0;
        for (int i = 0; i < call.SequenceCount; i++)
            products += 2.0 * call.Sequences[i].QueryCount * call.Sequences[i].KeyCount * call.Shape.QueryRowLength;
        return ThreadCount(products, options);
    }

    private static int ThreadCount(double products, in KernelOptions options) =>
        ThreadPolicy.Threads((long)products, AttentionTuning.ParallelProducts, options);
}
