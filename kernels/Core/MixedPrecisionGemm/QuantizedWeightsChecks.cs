using Kernels.Core.Checks;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>The argument checks of quantised weights. Every message names the parameter and the value.</summary>
internal static class QuantizedWeightsChecks
{
    // A row's activations, widened to float, take half of an array: the drivers' scratch fits, whatever else it holds.
    private const int LargestPaddedInputCount = int.MaxValue / (2 * sizeof(float));

    // Groups whose magnitude lies between these have scales that are normal numbers in every type.
    private const float SmallestPlain = 6.103515625e-5f * byte.MaxValue, LargestPlain = 65504; // 2^-14 and the end of f16

    public static QuantizedWeightsLayout Layout(int outputCount, int inputCount, QuantizationFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputCount, 1);
        Check.Defined(format.Type, nameof(format));
        Check.Defined(format.ScaleType, nameof(format));
        Check.Defined(format.Sparsity, nameof(format));
        int groupSize = format.GroupSizeOf(inputCount);
        if (groupSize < 0 || inputCount % groupSize != 0)
            throw new ArgumentOutOfRangeException(nameof(format), groupSize,
                $"the group size must divide the {inputCount} inputs, or be {QuantizationFormat.WholeColumn} for one group");
        if (format.IsSparse && (format.IsCodebook || inputCount % TwoOfFour.Inputs != 0 || groupSize % TwoOfFour.Inputs != 0))
            throw new ArgumentOutOfRangeException(nameof(format), groupSize,
                $"2:4 sparsity goes with integer types, and fours must divide the groups of the {inputCount} inputs");
        // Each weight takes 3 bits at least. Below that bound no size of the layout overflows, whatever the padding.
        if (Math.BigMul(outputCount, inputCount) > Array.MaxLength * 8L / 3)
            throw new ArgumentOutOfRangeException(nameof(outputCount), outputCount, $"with {inputCount} inputs exceeds what an array can hold");
        var layout = new QuantizedWeightsLayout(outputCount, inputCount, format);
        if (layout.PaddedInputCount > LargestPaddedInputCount)
            throw new ArgumentOutOfRangeException(nameof(inputCount), inputCount,
                $"in groups of {groupSize}, padded to {layout.PaddedInputCount}, exceeds the {LargestPaddedInputCount} activations that a row may take");
        // With room for an order of inputs, whether or not there will be one.
        if (layout.ByteCount + (long)inputCount * sizeof(int) > Array.MaxLength - 2 * QuantizedWeightsLayout.Alignment)
            throw new ArgumentOutOfRangeException(nameof(outputCount), outputCount, $"{layout.ByteCount} packed bytes exceed what an array can hold");
        return layout;
    }

    public static void Finite(ReadOnlySpan<float> values, int rowLength, string name)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw new ArgumentException($"the element of row {i / rowLength}, column {i % rowLength} is {values[i]}: finite numbers are needed", name);
        }
    }

    /// <summary>Finite weights, and groups whose scales their type can hold.</summary>
    public static void FiniteWithScales(ReadOnlySpan<float> weights, in QuantizedWeightsLayout layout, string name)
    {
        for (int output = 0; output < layout.OutputCount; output++)
        {
            for (int group = 0; group < layout.GroupCount; group++)
            {
                (float minimum, float maximum) = GroupQuantizer.Range(weights.Slice(output * layout.InputCount + group * layout.GroupSize, layout.GroupSize));
                float magnitude = Math.Max(-minimum, maximum);
                if (!float.IsFinite(magnitude))
                    Finite(weights, layout.InputCount, name);
                if (magnitude >= LargestPlain)
                    ScaleFits(GroupQuantizer.Scale(minimum, maximum, layout.Format), layout.Format, name);
                if (magnitude < SmallestPlain && GroupQuantizer.Vanishes(minimum, maximum, layout.Format))
                    throw new ArgumentOutOfRangeException(name, magnitude,
                        $"the weights of output {output}, group {group} need a scale that {layout.Format.ScaleType} rounds to 0");
            }
        }
    }

    /// <summary>In 2:4 formats, values of a row are the zero but for two of each four.</summary>
    public static void Sparse(ReadOnlySpan<byte> values, ReadOnlySpan<byte> zeroPoints, in QuantizedWeightsLayout layout, string name)
    {
        for (int start = 0, group = 0; layout.Format.IsSparse && start < values.Length; start += layout.GroupSize, group++)
        {
            int zero = layout.Format.HasZeroPoints ? zeroPoints[group] : layout.Format.SymmetricZero;
            int dense = TwoOfFour.FirstDense(values.Slice(start, layout.GroupSize), (byte)zero);
            if (dense >= 0)
                throw new ArgumentException($"more than two of the four weights from row {(start + dense) / layout.InputCount}, column " +
                    $"{(start + dense) % layout.InputCount} on are not zero", name);
        }
    }

    public static void Range(ReadOnlySpan<byte> values, int largest, string name)
    {
        int index = values.IndexOfAnyExceptInRange((byte)0, (byte)largest);
        if (index >= 0)
            throw new ArgumentOutOfRangeException(name, values[index], $"element {index} is not within 0 to {largest}");
    }

    public static void ScaleFits(float scale, QuantizationFormat format, string name)
    {
        float rounded = format.RoundedScale(scale);
        if (!float.IsFinite(rounded))
            throw new ArgumentOutOfRangeException(name, scale, $"a group needs a scale beyond the largest {format.ScaleType}");
        if (rounded == 0 && scale != 0)
            throw new ArgumentOutOfRangeException(name, scale, $"a group needs a scale that {format.ScaleType} rounds to 0");
    }
}
