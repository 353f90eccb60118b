using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Gpu;

/// <summary>What kernels are told about packed weights: counts, and what a step is. Only types that every backend can pass.</summary>
internal readonly struct GemmGpuShape(in QuantizedWeightsLayout layout)
{
    /// <summary>Inputs of a step, and steps of the longest segment: see <see cref="QuantizedWeightsLayout"/>.</summary>
    public const int StepInputs = QuantizedWeightsLayout.StepInputs, LargestSegmentSteps = QuantizedWeightsLayout.LargestSegment / StepInputs;

    public const int PanelColumns = QuantizedWeightsLayout.PanelColumns;

    public readonly int OutputCount = layout.OutputCount, InputCount = layout.InputCount, PanelCount = layout.PanelCount, GroupCount = layout.GroupCount;

    public readonly int GroupSize = layout.GroupSize, SegmentsPerGroup = layout.SegmentsPerGroup;

    /// <summary>Steps of a group; its last segment has what the whole ones leave.</summary>
    public readonly int StepsPerGroup = layout.PaddedGroupSize / StepInputs;

    private readonly int _scaleType = (int)layout.Format.ScaleType, _hasZeroPoints = layout.Format.HasZeroPoints ? 1 : 0, _hasInputOrder = layout.HasInputOrder
        ? 1 : 0;

    public readonly float SymmetricZero = layout.Format.SymmetricZero;

    public ScaleType ScaleType => (ScaleType)_scaleType;

    public bool HasZeroPoints => _hasZeroPoints != 0;

    public bool HasInputOrder => _hasInputOrder != 0;

    public int StepCount => GroupCount * StepsPerGroup;

    public int SegmentCount => GroupCount * SegmentsPerGroup;

    /// <summary>Inputs of a row of activations as kernels read them: every group padded to whole steps.</summary>
    public int PaddedInputCount => StepCount * StepInputs;

    /// <summary>The place of a group's scale and zero point of one output.</summary>
    public long GroupIndex(int output, int group) => ((long)(output / PanelColumns) * GroupCount + group) * PanelColumns + output % PanelColumns;
}

/// <summary>The parts of packed weights in a device's memory, as they lie in <see cref="QuantizedWeights"/>: nothing is packed anew.</summary>
internal readonly struct GemmGpuWeights(ILGPU.ArrayView<int> lanes, ILGPU.ArrayView<ushort> scales, ILGPU.ArrayView<byte> zeroPoints,
    ILGPU.ArrayView<float> codebook)
{
    /// <summary>Of each step 64 lanes of four bytes, or, of eight-bit weights, twice as many.</summary>
    public readonly ILGPU.ArrayView<int> Lanes = lanes;

    /// <summary>In halves of 16 bits, of which a float has two.</summary>
    public readonly ILGPU.ArrayView<ushort> Scales = scales;

    public readonly ILGPU.ArrayView<byte> ZeroPoints = zeroPoints;

    /// <summary>16 numbers, or one that nobody reads.</summary>
    public readonly ILGPU.ArrayView<float> Codebook = codebook;

    public float Scale(in GemmGpuShape shape, int output, int group)
    {
        long index = shape.GroupIndex(output, group);
        if (shape.ScaleType == ScaleType.Float32)
            return ILGPU.Interop.IntAsFloat(Scales[2 * index] | (uint)Scales[2 * index + 1] << 16);
        return shape.ScaleType == ScaleType.Float16 ? Float16Element.Load(Scales[index]) : BFloat16Element.Load(Scales[index]);
    }

    public float Zero(in GemmGpuShape shape, int output, int group) => shape.HasZeroPoints ? (int)ZeroPoints[shape.GroupIndex(output, group)]
        : shape.SymmetricZero;
}
