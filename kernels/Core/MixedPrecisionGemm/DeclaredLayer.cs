using System.Numerics;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>The tensors of a layer held against what its checkpoint says of them. Each check refuses by file and tensor.</summary>
internal readonly struct DeclaredLayer(CheckpointDeclaration said, CheckpointTensor weights, CheckpointTensor scales)
{
    public CheckpointDeclaration Said => said;

    public CheckpointTensor Weights => weights;

    public CheckpointTensor Scales => scales;

    public void CheckMethod(params ReadOnlySpan<string> known) => CheckKnown("method", said.Method, known);

    public void CheckFormat(params ReadOnlySpan<string> known) => CheckKnown("format", said.Format, known);

    public void CheckBits(int bits)
    {
        if (said.Bits is { } others && others != bits)
            throw weights.Fault($"the shapes say {bits} bits, but {said.Source} says {others}");
    }

    /// <summary>The inputs of a group: as it is said, or as it follows from the shapes where they leave no doubt.</summary>
    /// <remarks>
    /// Groups of g inputs that do not divide k leave ceil(k / g) groups, the last one short; where that number divides k, the shapes are also those of whole
    /// groups of another size. Both sizes cannot be powers of two: from k = G 2^a and ceil(k / 2^b) = G with b &gt; a follows G (1 - 2^(a - b)) &lt; 1, and so
    /// G = 1. Other sizes need g_idx, or to be said.
    /// </remarks>
    public int GroupSize(int inputCount, bool hasGroupIndices)
    {
        int groupCount = scales.Rows, size = inputCount / groupCount;
        if (said.GroupSize is { } declared)
        {
            bool isWhole = groupCount == 1 && (declared == QuantizationFormat.WholeColumn || declared >= inputCount);
            return isWhole || Math.BigMul(groupCount, declared) == inputCount ? size
                : throw scales.Fault($"{groupCount} groups do not cover {inputCount} inputs in groups of " +
                    $"{(declared == QuantizationFormat.WholeColumn ? inputCount : declared)}, as {said.Source} has it");
        }
        if (inputCount % groupCount != 0)
            throw scales.Fault($"{groupCount} groups do not divide {inputCount} inputs");
        return groupCount == 1 || hasGroupIndices || BitOperations.IsPow2(size) ? size
            : throw scales.Fault($"{groupCount} groups of {inputCount} inputs may be of {size} inputs each, or larger with a short one at the end: the " +
                $"group size must be declared");
    }

    public void CheckActOrder(CheckpointTensor? groupIndices, bool isScattered)
    {
        if (said.HasActOrder == true && groupIndices is null && scales.Rows > 1)
            throw weights.Fault($"{said.Source} says act-order, but there is no g_idx");
        if (said.HasActOrder == false && isScattered)
            throw groupIndices!.Value.Fault($"the inputs of groups lie scattered, but {said.Source} says that there is no act-order");
    }

    /// <summary>Whether all zero points are half of the range, so that none need be kept.</summary>
    public bool IsSymmetric<TLayout>(TLayout values, CheckpointTensor zeroPoints, int bits) where TLayout : unmanaged, ICheckpointLayout
    {
        int middle = 1 << (bits - 1);
        if (FirstOther(values, middle) is not var (output, group))
            return true;
        return said.IsSymmetric != true ? false
            : throw zeroPoints.Fault($"the zero point of output {output}, group {group} is {values.ZeroPoint(output, group)}, but {said.Source} says that " +
                $"the layers are symmetric: {middle}");
    }

    /// <summary>Whether all zero points are the given one.</summary>
    public bool AllAre<TLayout>(TLayout values, int zeroPoint) where TLayout : unmanaged, ICheckpointLayout => FirstOther(values, zeroPoint) is null;

    private (int Output, int Group)? FirstOther<TLayout>(TLayout values, int zeroPoint) where TLayout : unmanaged, ICheckpointLayout
    {
        for (int group = 0; group < scales.Rows; group++)
        {
            for (int output = 0; output < scales.Columns; output++)
            {
                if (values.ZeroPoint(output, group) != zeroPoint)
                    return (output, group);
            }
        }
        return null;
    }

    private void CheckKnown(string what, string? word, ReadOnlySpan<string> known)
    {
        if (word is not null && !known.Contains(word))
            throw weights.Fault($"{said.Source} says {what} '{word}'; this reader knows {string.Join(", ", known!)}");
    }
}
