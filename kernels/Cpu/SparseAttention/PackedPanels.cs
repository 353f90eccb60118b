using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Keys and values of some heads of a sequence as floats, in panels of a tile of keys, packed once for all query rows: keys transposed (a depth for each dimension), values as they are
/// (a depth for each key), both in slivers as <see cref="IAttentionKernels.Multiply"/> takes them; the other way round as well where a gradient is wanted.
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
            {
                Unsafe.CopyBlockUnaligned(slivers, rows + row * stride + first, (uint)(count * sizeof(float)));
                new Span<float>(slivers + count, width - count).Clear();
            }
        }
    }

    public static bool HasSpecial(float* x, int count)
    {
        // 0 x is 0 for numbers, and no number for all else.
        Vector<float> sum = default;
        int i = 0;
        for (; i + Vector<float>.Count <= count; i += Vector<float>.Count)
            sum += Vector<float>.Zero * Vector.LoadUnsafe(ref x[i]);
        float rest = Vector.Sum(sum);
        for (; i < count; i++)
            rest += 0 * x[i];
        return float.IsNaN(rest);
    }

    public static void ReplaceSpecial(float* x, int count)
    {
        if (!HasSpecial(x, count))
            return;
        for (int i = 0; i < count; i++)
            x[i] = float.IsFinite(x[i]) ? x[i] : 0;
    }
}

/// <summary>Packs panel after panel; items are [heads, panels].</summary>
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
        float* rows = stackalloc float[AttentionTuning.Tile * d];
        for (long item = begin; item < end; item++)
        {
            int head = _panels.FirstHead + (int)(item / _panels.PanelCount), panel = (int)(item % _panels.PanelCount);
            Widen(_source.Keys, _source.KeyScales, head, panel, rows);
            TilePacking<TKernels>.Across(rows, d, d, _panels.Panel(_panels.KeysAcross, head, panel));
            if (_panels.Keys != null)
            {
                // A special key makes its pairs' probabilities special; pairs that are left out must not meet it here.
                TilePacking<TKernels>.ReplaceSpecial(rows, AttentionTuning.Tile * d);
                TilePacking<TKernels>.Along(rows, d, d, _panels.Panel(_panels.Keys, head, panel));
            }
            Widen(_source.Values, _source.ValueScales, head, panel, rows);
            _panels.HasSpecialValues[item] = TilePacking<TKernels>.HasSpecial(rows, AttentionTuning.Tile * d);
            TilePacking<TKernels>.Along(rows, d, d, _panels.Panel(_panels.Values, head, panel));
            if (_panels.ValuesAcross == null)
                continue;
            TilePacking<TKernels>.ReplaceSpecial(rows, AttentionTuning.Tile * d);
            TilePacking<TKernels>.Across(rows, d, d, _panels.Panel(_panels.ValuesAcross, head, panel));
        }
    }

    private void Widen(byte* source, float* scales, int head, int panel, float* rows)
    {
        int d = _panels.HeadDimension, first = panel * AttentionTuning.Tile, count = Math.Min(AttentionTuning.Tile, _sequence.KeyCount - first);
        for (int i = 0; i < count; i++)
        {
            long element = _source.Element(_sequence, head, first + i);
            KeyValueLanes<TFormat>.Widen(source + element * TFormat.ElementBytes, rows + i * d, d);
            if (TFormat.IsScaled)
                TKernels.Scale(rows + i * d, d, scales[element / d]);
        }
        new Span<float>(rows + count * d, (AttentionTuning.Tile - count) * d).Clear();
    }
}
