using System.Runtime.CompilerServices;
using Kernels.Core.Threading;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>Where the weights to pack come from.</summary>
internal unsafe interface IWeightSource
{
    /// <summary>The scale, unrounded, and the zero of a group.</summary>
    (float Scale, int Zero) Fit(int output, int group);

    /// <summary>Values of a part of a group, in packed order, for the scale as it was rounded.</summary>
    void Quantize(int output, int group, int firstOfGroup, Span<byte> values, float scale, int zero);
}

/// <summary>Packs panels of 64 outputs: the scales of each group, then its segments.</summary>
internal readonly unsafe struct PackJob<TSource>(in PackedWeights packed, TSource source) : IRangeJob where TSource : unmanaged, IWeightSource
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns, Stride = QuantizedWeightsLayout.LargestSegment;

    private readonly PackedWeights _packed = packed;
    private readonly TSource _source = source;

    public void Run(long begin, long end)
    {
        // Cleared, so that outputs beyond the last one are 0.
        byte* values = stackalloc byte[PackedWeights.SegmentBytes];
        for (long panel = begin; panel < end; panel++)
        {
            new Span<byte>(values, PackedWeights.SegmentBytes).Clear();
            for (int group = 0; group < _packed.Layout.GroupCount; group++)
                PackGroup(panel, group, values);
        }
    }

    private void PackGroup(long panel, int group, byte* values)
    {
        QuantizedWeightsLayout layout = _packed.Layout;
        int first = (int)panel * PanelColumns, columns = Math.Min(PanelColumns, layout.OutputCount - first);
        for (int column = 0; column < columns; column++)
        {
            (float scale, int zero) = _source.Fit(first + column, group);
            _packed.SetGroup(first + column, group, scale, zero);
        }
        for (int segment = 0; segment < layout.SegmentsPerGroup; segment++)
        {
            int length = layout.SegmentLength(segment);
            for (int column = 0; column < columns; column++)
            {
                int output = first + column;
                var row = new Span<byte>(values + column * Stride, Stride);
                _source.Quantize(output, group, segment * Stride, row[..length], _packed.Scale(output, group), _packed.ZeroPoint(output, group));
                row[length..].Clear();
            }
            _packed.WriteSegment(panel, group, segment, values);
        }
    }
}

/// <summary>Float weights, rounded to nearest.</summary>
internal readonly unsafe struct RoundedWeights(float* weights, in QuantizedWeightsLayout layout) : IWeightSource
{
    private readonly float* _weights = weights;
    private readonly QuantizedWeightsLayout _layout = layout;

    public (float Scale, int Zero) Fit(int output, int group) => GroupQuantizer.Fit(Part(output, group, 0, _layout.GroupSize), _layout.Format);

    public void Quantize(int output, int group, int firstOfGroup, Span<byte> values, float scale, int zero)
    {
        ReadOnlySpan<float> part = Part(output, group, firstOfGroup, values.Length);
        if (_layout.Format.IsSparse)
        {
            Span<float> pruned = stackalloc float[QuantizedWeightsLayout.LargestSegment];
            part.CopyTo(pruned);
            TwoOfFour.Prune(pruned[..part.Length]);
            GroupQuantizer.Quantize(pruned[..part.Length], scale, zero, _layout.Format, values);
            return;
        }
        GroupQuantizer.Quantize(part, scale, zero, _layout.Format, values);
    }

    private ReadOnlySpan<float> Part(int output, int group, int firstOfGroup, int count) =>
        new(_weights + (long)output * _layout.InputCount + (long)group * _layout.GroupSize + firstOfGroup, count);
}

/// <summary>Weights that are quantised already, with their inputs brought into packed order.</summary>
internal readonly unsafe struct GivenWeights(byte* values, float* scales, byte* zeroPoints, int* inputOrder, in QuantizedWeightsLayout layout) : IWeightSource
{
    private readonly byte* _values = values;
    private readonly float* _scales = scales;
    private readonly byte* _zeroPoints = zeroPoints;
    private readonly int* _inputOrder = inputOrder;
    private readonly QuantizedWeightsLayout _layout = layout;

    public (float Scale, int Zero) Fit(int output, int group)
    {
        long index = (long)output * _layout.GroupCount + group;
        return (_scales[index], _layout.Format.HasZeroPoints ? _zeroPoints[index] : _layout.Format.SymmetricZero);
    }

    public void Quantize(int output, int group, int firstOfGroup, Span<byte> values, float scale, int zero)
    {
        byte* row = _values + (long)output * _layout.InputCount;
        int first = group * _layout.GroupSize + firstOfGroup;
        if (_inputOrder == null)
        {
            new ReadOnlySpan<byte>(row + first, values.Length).CopyTo(values);
            return;
        }
        for (int i = 0; i < values.Length; i++)
            values[i] = row[_inputOrder[first + i]];
    }
}

/// <summary>Undoes the packing, to [outputs, inputs]: panels of packed weights to floats, or to their values as bytes.</summary>
internal readonly unsafe struct UnpackJob<T>(in PackedWeights packed, T* weights) : IRangeJob where T : unmanaged
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns, Stride = QuantizedWeightsLayout.LargestSegment;

    private readonly PackedWeights _packed = packed;
    private readonly T* _weights = weights;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        byte* values = stackalloc byte[PackedWeights.SegmentBytes];
        for (long panel = begin; panel < end; panel++)
        {
            for (int group = 0; group < _packed.Layout.GroupCount; group++)
            {
                for (int segment = 0; segment < _packed.Layout.SegmentsPerGroup; segment++)
                {
                    _packed.ReadSegment(panel, group, segment, values);
                    UnpackSegment((int)panel, group, segment, values);
                }
            }
        }
    }

    private void UnpackSegment(int panel, int group, int segment, byte* values)
    {
        QuantizedWeightsLayout layout = _packed.Layout;
        ReadOnlySpan<float> codebook = layout.Format.IsCodebook ? Codebook.Of(layout.Format.Type) : default;
        int columns = Math.Min(PanelColumns, layout.OutputCount - panel * PanelColumns), firstInput = group * layout.GroupSize + segment * Stride;
        for (int column = 0; column < columns; column++)
        {
            int output = panel * PanelColumns + column, zero = _packed.ZeroPoint(output, group);
            float scale = _packed.Scale(output, group);
            T* row = _weights + (long)output * layout.InputCount;
            for (int i = 0; i < layout.SegmentLength(segment); i++)
            {
                int value = values[column * Stride + i], input = _packed.InputOrder == null ? firstInput + i : _packed.InputOrder[firstInput + i];
                if (typeof(T) == typeof(byte))
                    ((byte*)row)[input] = (byte)value;
                else
                    ((float*)row)[input] = scale * (codebook.IsEmpty ? value - zero : codebook[value]);
            }
        }
    }
}
