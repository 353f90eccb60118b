using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Keys and values of some heads of a sequence as floats, in panels of a tile of keys, packed once for all query rows: keys transposed (a depth for each
/// dimension), values as they are (a depth for each key), both in slivers as <see cref="IAttentionKernels.Multiply"/> takes them; the other way round as well
/// where a gradient is wanted.
/// </summary>
internal unsafe struct PackedPanels
{
    public int FirstHead;
    public int HeadCount;
    public int PanelCount;

    /// <summary>The head dimension, and the same rounded up to whole slivers.</summary>
    public int HeadDimension;
    public int PaddedDimension;
    public float* KeysAcross;
    public float* Values;
    public float* Keys;
    public float* ValuesAcross;

    /// <summary>For each panel whether a value is infinite or no number, so that not even a weight of 0 may touch it.</summary>
    public bool* HasSpecialValues;

    public readonly long PanelLength => (long)AttentionTuning.Tile * PaddedDimension;

    public readonly int Number(int head, int panel) => (head - FirstHead) * PanelCount + panel;

    public readonly float* Panel(float* panels, int head, int panel) => panels + Number(head, panel) * PanelLength;
}

/// <summary>Packing of rows [count, stride] into slivers.</summary>
internal static unsafe class TilePacking<TKernels> where TKernels : struct, IAttentionKernels
{
    /// <summary>The head dimension in whole slivers.</summary>
    public static int Padded(int headDimension) => (headDimension + TKernels.SliverWidth - 1) / TKernels.SliverWidth * TKernels.SliverWidth;

    /// <summary>slivers[s][k][l] = rows[s W + l][k]: a tile of rows, side by side.</summary>
    public static void Across(float* rows, int stride, int dimension, float* slivers)
    {
        int width = TKernels.SliverWidth;
        for (int first = 0; first < AttentionTuning.Tile; first += width)
        {
            for (int k = 0; k < dimension; k++)
            {
                for (int l = 0; l < width; l++)
                    *slivers++ = rows[(first + l) * stride + k];
            }
        }
    }

    /// <summary>slivers[s][r][l] = rows[r][s W + l], zeros beyond the dimension.</summary>
    public static void Along(float* rows, int stride, int dimension, float* slivers)
    {
        int width = TKernels.SliverWidth;
        for (int first = 0; first < dimension; first += width)
        {
            int count = Math.Min(width, dimension - first);
            for (int row = 0; row < AttentionTuning.Tile; row++, slivers += width)
                CopyOrPad(rows + row * stride + first, count, slivers, width);
        }
    }

    private static void CopyOrPad(float* row, int count, float* sliver, int width)
    {
        int i = 0;
        for (; i + Vector<float>.Count <= count; i += Vector<float>.Count)
            Vector.Store(Vector.Load(row + i), sliver + i);
        for (; i < count; i++)
            sliver[i] = row[i];
        for (; i < width; i++)
            sliver[i] = 0;
    }

    public static bool HasSpecial(float* x, int count)
    {
        // x - x is 0 for numbers, no bit of it set, and no number for all else.
        Vector<float> bits = default;
        int i = 0;
        for (; i + Vector<float>.Count <= count; i += Vector<float>.Count)
        {
            var some = Vector.Load(x + i);
            bits |= some - some;
        }
        bool found = bits != Vector<float>.Zero;
        for (; i < count; i++)
            found |= !float.IsFinite(x[i]);
        return found;
    }

    public static void ReplaceSpecial(float* x, int count)
    {
        if (!HasSpecial(x, count))
            return;
        for (int i = 0; i < count; i++)
            x[i] = float.IsFinite(x[i]) ? x[i] : 0;
    }
}

/// <summary>
/// Packs panel after panel; items are [panels, heads], since heads stand beside each other in arrays: their rows share lines of the page table, and pages.
/// </summary>
internal readonly unsafe struct PackJob<TKernels, TFormat>(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private readonly KeyValueRows _source = call.Source;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int d = _panels.HeadDimension;
        long bytes = RentedScratch.Bytes<float>(AttentionTuning.Tile * d);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        float* rows = scratch.Take<float>(AttentionTuning.Tile * d);
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item % _panels.HeadCount), panel = (int)(item / _panels.HeadCount);
            // Rows of a head are far from each other: values are fetched while keys are packed, and the next item's keys while values are.
            long next = Math.Min(item + 1, end - 1);
            bool hasValues = _source.Values != null;
            Widen(_source.Keys, _source.KeyScales, head, panel, hasValues ? _source.Values : _source.Keys, hasValues ? item : next, rows);
            TilePacking<TKernels>.Across(rows, d, d, _panels.Panel(_panels.KeysAcross, head, panel));
            if (!hasValues)
                continue;
            if (_panels.Keys != null)
            {
                // A special key makes its pairs' probabilities special; pairs that are left out must not meet it here.
                TilePacking<TKernels>.ReplaceSpecial(rows, AttentionTuning.Tile * d);
                TilePacking<TKernels>.Along(rows, d, d, _panels.Panel(_panels.Keys, head, panel));
            }
            Widen(_source.Values, _source.ValueScales, head, panel, _source.Keys, next, rows);
            _panels.HasSpecialValues[_panels.Number(head, panel)] = TilePacking<TKernels>.HasSpecial(rows, AttentionTuning.Tile * d);
            TilePacking<TKernels>.Along(rows, d, d, _panels.Panel(_panels.Values, head, panel));
            if (_panels.ValuesAcross == null)
                continue;
            TilePacking<TKernels>.ReplaceSpecial(rows, AttentionTuning.Tile * d);
            TilePacking<TKernels>.Across(rows, d, d, _panels.Panel(_panels.ValuesAcross, head, panel));
        }
    }

    private void Widen(byte* source, float* scales, int head, int panel, byte* ahead, long itemAhead, float* rows)
    {
        int d = _panels.HeadDimension, first = panel * AttentionTuning.Tile, count = Math.Min(AttentionTuning.Tile, _sequence.KeyCount - first);
        int headAhead = _panels.FirstHead + (int)(itemAhead % _panels.HeadCount), firstAhead = (int)(itemAhead / _panels.HeadCount) * AttentionTuning.Tile;
        for (int i = 0; i < count; i++)
        {
            byte* rowAhead = ahead + _source.Element(_sequence, headAhead, Math.Min(firstAhead + i, _sequence.KeyCount - 1)) * TFormat.ElementBytes;
            for (int offset = 0; offset < d * TFormat.ElementBytes; offset += TileScratch.LineBytes)
                Prefetch.Read(rowAhead + offset);
            long element = _source.Element(_sequence, head, first + i);
            KeyValueLanes<TFormat>.Widen(source + element * TFormat.ElementBytes, rows + i * d, d);
            if (TFormat.IsScaled)
                TileRows.Scale<TKernels>(rows + i * d, d, scales[element / d]);
        }
        new Span<float>(rows + count * d, (AttentionTuning.Tile - count) * d).Clear();
    }
}
