using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Plans of blocks: keys are compressed and packed first, then each block of queries takes the packed panels.</summary>
internal static unsafe class BlockPlanning<TKernels> where TKernels : struct, IAttentionKernels
{
    public static void Run(in BlockPlanCall call, int threads, CancellationToken cancellation)
    {
        var keys = new CompressedKeys { Count = call.Sizes.CompressedCount(call.KeyCount), HeadDimension = call.Shape.HeadDimension };
        int panels = keys.PanelCount * call.Shape.KeyValueHeads;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(panels * keys.PanelLength) + RentedScratch.Bytes<bool>(panels));
        keys.Across = scratch.Take<float>(panels * keys.PanelLength);
        keys.HasSpecial = scratch.Take<bool>(panels);
        RangeRunner.Run(new CompressJob<TKernels>(call, keys), panels, grain: 1, threads, cancellation);
        if (new ReadOnlySpan<bool>(keys.HasSpecial, panels).Contains(true))
        {
            call.Selected[0] = BlockPlanCall.NoOrder;
            return;
        }
        var plan = new BlockPlanJob<TKernels>(call, keys);
        RangeRunner.Run(plan, plan.ItemCount, grain: 1, threads, cancellation);
    }
}

/// <summary>Compressed keys of all heads in panels of a tile, side by side as <see cref="IAttentionKernels.Multiply"/> takes them.</summary>
internal unsafe struct CompressedKeys
{
    /// <summary>Of one head.</summary>
    public int Count;
    public int HeadDimension;

    /// <summary>[heads, panels].</summary>
    public float* Across;

    /// <summary>For each panel whether an element is infinite or no number.</summary>
    public bool* HasSpecial;

    public readonly int PanelCount => (Count + AttentionTuning.Tile - 1) / AttentionTuning.Tile;

    public readonly long PanelLength => (long)AttentionTuning.Tile * HeadDimension;

    public readonly float* Panel(int head, int panel) => Across + ((long)head * PanelCount + panel) * PanelLength;
}

/// <summary>Means of keys, packed; items are [heads, panels].</summary>
internal readonly unsafe struct CompressJob<TKernels>(in BlockPlanCall call, in CompressedKeys compressed) : IRangeJob
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly BlockPlanCall _call = call;
    private readonly CompressedKeys _compressed = compressed;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int d = _compressed.HeadDimension;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(Tile * d));
        float* rows = scratch.Take<float>(Tile * d);
        for (long item = begin; item < end; item++)
        {
            int head = (int)(item / _compressed.PanelCount), panel = (int)(item % _compressed.PanelCount), first = panel * Tile,
                count = Math.Min(Tile, _compressed.Count - first);
            for (int i = 0; i < count; i++)
                Compress(head, first + i, rows + i * d);
            new Span<float>(rows + count * d, (Tile - count) * d).Clear();
            _compressed.HasSpecial[item] = TilePacking<TKernels>.HasSpecial(rows, count * d);
            TilePacking<TKernels>.Across(rows, d, d, _compressed.Panel(head, panel));
        }
    }

    private void Compress(int head, int index, float* mean)
    {
        int d = _compressed.HeadDimension, length = _call.Sizes.CompressedLength;
        long rowLength = _call.Shape.KeyRowLength;
        float* key = _call.Keys + (long)index * _call.Sizes.CompressedStride * rowLength + head * d;
        TKernels.CopyScaled(key, mean, d, 1f / length);
        for (int i = 1; i < length; i++)
            TKernels.AddScaled(key += rowLength, mean, d, 1f / length);
    }
}
