using System.Runtime.InteropServices;

namespace Kernels;

/// <summary>
/// A weight matrix W[outputs, inputs] in 4 or 8 bits with a scale for each group of inputs, packed once in the layout that all kernels read.
/// Immutable: any number of threads may multiply with it at a time.
/// </summary>
/// <remarks>
/// A weight is w = scale (q - zero). Bytes for each weight with 16-bit scales: (4 + 16 / group) / 8 in four bits, so 0.516 at group 128; a zero point is one
/// byte for each group and output. Outputs are padded to a multiple of 64 and each group to a multiple of 8 inputs.
/// </remarks>
public sealed unsafe class QuantizedWeights
{
    // On the pinned heap, so that the address within stays aligned.
    private readonly byte[] _bytes;
    private readonly byte* _start;

    private QuantizedWeights(QuantizedWeightsLayout layout)
    {
        Layout = layout;
        _bytes = GC.AllocateArray<byte>(checked((int)layout.ByteCount + QuantizedWeightsLayout.Alignment), pinned: true);
        var address = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);
        _start = (byte*)((address + QuantizedWeightsLayout.Alignment - 1) & -QuantizedWeightsLayout.Alignment);
    }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => Layout.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => Layout.InputCount;

    /// <summary>The number of groups of each output.</summary>
    public int GroupCount => Layout.GroupCount;

    /// <summary>The format; its group size is the number of inputs where one group covers them all.</summary>
    public QuantizationFormat Format => Layout.Format with { GroupSize = Layout.GroupSize };

    /// <summary>The bytes of the packed matrix: weights, scales and zero points with their padding.</summary>
    public long ByteCount => Layout.ByteCount;

    internal QuantizedWeightsLayout Layout { get; }

    /// <summary>The packed bytes; valid while this object is alive.</summary>
    internal byte* Packed => _start;

    /// <summary>Quantises float weights by rounding to nearest, ties to even.</summary>
    /// <param name="weights">[outputCount, inputCount], row-major, as a torch Linear keeps them; finite.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <remarks>
    /// Symmetric formats: scale = 2 max|w| / (2^bits - 1), as MARLIN has it, rounded to the scale's type; q = clamp(round(w / scale) + zero). With zero points: the scale is
    /// the range of the group and 0, divided by 15; zero = round(-minimum / scale). A group of zeros gets scale 0.
    /// </remarks>
    /// <exception cref="ArgumentException">Sizes disagree, the group does not divide the inputs, a weight is not finite, or a scale exceeds its type.</exception>
    public static QuantizedWeights Pack(ReadOnlySpan<float> weights, int outputCount, int inputCount, QuantizationFormat format)
    {
        QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        QuantizedWeightsChecks.Length(weights.Length, (long)outputCount * inputCount, nameof(weights));
        QuantizedWeightsChecks.Finite(weights, inputCount, nameof(weights));
        var packed = new QuantizedWeights(layout);
        for (int output = 0; output < outputCount; output++)
        {
            for (int group = 0; group < layout.GroupCount; group++)
                packed.PackGroup(weights.Slice(output * inputCount + group * layout.GroupSize, layout.GroupSize), output, group);
        }
        return packed;
    }

    /// <summary>Packs weights that are quantised already.</summary>
    /// <param name="values">q, [outputCount, inputCount], one in each byte, at most 15 in four bits.</param>
    /// <param name="scales">[outputCount, groups]; finite; rounded to the scale's type.</param>
    /// <param name="zeroPoints">[outputCount, groups], 0 to 15, for <see cref="QuantizedType.U4ZeroPoint"/>; else empty.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <exception cref="ArgumentException">Sizes disagree, the group does not divide the inputs, or a number is out of its range.</exception>
    public static QuantizedWeights FromQuantized(
        ReadOnlySpan<byte> values, ReadOnlySpan<float> scales, ReadOnlySpan<byte> zeroPoints, int outputCount, int inputCount, QuantizationFormat format)
    {
        QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        long scaleCount = (long)outputCount * layout.GroupCount;
        QuantizedWeightsChecks.Length(values.Length, (long)outputCount * inputCount, nameof(values));
        QuantizedWeightsChecks.Length(scales.Length, scaleCount, nameof(scales));
        QuantizedWeightsChecks.Length(zeroPoints.Length, format.HasZeroPoints ? scaleCount : 0, nameof(zeroPoints));
        QuantizedWeightsChecks.Range(values, format.LargestValue, nameof(values));
        QuantizedWeightsChecks.Range(zeroPoints, format.LargestValue, nameof(zeroPoints));
        QuantizedWeightsChecks.Finite(scales, layout.GroupCount, nameof(scales));
        foreach (float scale in scales)
            QuantizedWeightsChecks.ScaleFits(scale, format.ScaleType, nameof(scales));
        var packed = new QuantizedWeights(layout);
        for (int output = 0; output < outputCount; output++)
        {
            for (int group = 0; group < layout.GroupCount; group++)
            {
                int index = output * layout.GroupCount + group;
                packed.SetGroup(output, group, scales[index], format.HasZeroPoints ? zeroPoints[index] : format.SymmetricZero);
            }
            for (int input = 0; input < inputCount; input++)
                packed.SetValue(output, input, values[output * inputCount + input]);
        }
        return packed;
    }

    /// <summary>Writes scale (q - zero) of every weight.</summary>
    /// <param name="weights">[outputs, inputs], row-major.</param>
    /// <exception cref="ArgumentException">The span has another number of elements.</exception>
    public void Dequantize(Span<float> weights)
    {
        QuantizedWeightsChecks.Length(weights.Length, (long)OutputCount * InputCount, nameof(weights));
        for (int output = 0; output < OutputCount; output++)
        {
            for (int input = 0; input < InputCount; input++)
            {
                int group = input / Layout.GroupSize;
                weights[output * InputCount + input] = Scale(output, group) * (Value(output, input) - ZeroPoint(output, group));
            }
        }
    }

    private void PackGroup(ReadOnlySpan<float> weights, int output, int group)
    {
        (float scale, int zero) = GroupQuantizer.Fit(weights, Layout.Format);
        SetGroup(output, group, scale, zero);
        float rounded = Scale(output, group);
        for (int i = 0; i < weights.Length; i++)
            SetValue(output, group * Layout.GroupSize + i, GroupQuantizer.Quantize(weights[i], rounded, zero, Layout.Format.LargestValue));
    }

    private int Value(int output, int input)
    {
        (long position, int shift) = Layout.Locate(output, input);
        return (_start[position] >> shift) & Layout.Format.LargestValue;
    }

    private void SetValue(int output, int input, int value)
    {
        (long position, int shift) = Layout.Locate(output, input);
        _start[position] |= (byte)(value << shift);
    }

    private int ZeroPoint(int output, int group) =>
        Layout.Format.HasZeroPoints ? _start[Layout.ZeroPointOffset + Layout.ScaleIndex(output, group)] : Layout.Format.SymmetricZero;

    private float Scale(int output, int group)
    {
        byte* scales = _start + Layout.ScaleOffset;
        long index = Layout.ScaleIndex(output, group);
        return Layout.Format.ScaleType switch
        {
            ScaleType.Float16 => (float)((Half*)scales)[index],
            ScaleType.BFloat16 => ((BFloat16*)scales)[index],
            _ => ((float*)scales)[index],
        };
    }

    private void SetGroup(int output, int group, float scale, int zeroPoint)
    {
        byte* scales = _start + Layout.ScaleOffset;
        long index = Layout.ScaleIndex(output, group);
        switch (Layout.Format.ScaleType)
        {
            case ScaleType.Float16: ((Half*)scales)[index] = (Half)scale; break;
            case ScaleType.BFloat16: ((BFloat16*)scales)[index] = (BFloat16)scale; break;
            default: ((float*)scales)[index] = scale; break;
        }
        if (Layout.Format.HasZeroPoints)
            _start[Layout.ZeroPointOffset + index] = (byte)zeroPoint;
    }
}
