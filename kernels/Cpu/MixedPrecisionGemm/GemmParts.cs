using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// How the groups of each panel are cut, so that a layer with few outputs can be shared out as well. A function of the weights' sizes alone: results depend
/// neither on threads nor on the batch.
/// </summary>
internal readonly struct GemmParts(in QuantizedWeightsLayout layout)
{
    private readonly int _groupCount = layout.GroupCount;

    /// <summary>Parts of a panel: 1 where there are panels enough, or where parts would be too short.</summary>
    public int Count { get; } = Math.Clamp(
        Math.Min(MixedPrecisionGemmTuning.ItemsToShareOut / layout.PanelCount, (int)(layout.PaddedInputCount / MixedPrecisionGemmTuning.ShortestPart)), 1,
        layout.GroupCount);

    /// <summary>The groups [First, End) of a part.</summary>
    public (int First, int End) Groups(int part) => ((int)((long)_groupCount * part / Count), (int)((long)_groupCount * (part + 1) / Count));
}
