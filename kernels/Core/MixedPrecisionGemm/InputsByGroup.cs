using Kernels.Core.Checks;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>Inputs sorted by group, for act-order: GPTQ quantised them in another order than the matrix has, so the inputs of a group lie scattered.</summary>
internal static class InputsByGroup
{
    /// <summary>order[i] = the input that is packed i-th: sorted by group, and within a group by input. Empty if they stand so already.</summary>
    /// <param name="groupIndices">The group of each input: g_idx.</param>
    /// <param name="layout">Sizes.</param>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="ArgumentException">An index is out of range, or a group has not as many inputs as the others.</exception>
    public static int[] Order(ReadOnlySpan<int> groupIndices, in QuantizedWeightsLayout layout, string name)
    {
        Check.Exactly(groupIndices.Length, layout.InputCount, name);
        var order = new int[groupIndices.Length];
        var filled = new int[layout.GroupCount];
        bool isSorted = true;
        for (int input = 0; input < groupIndices.Length; input++)
        {
            int group = groupIndices[input];
            if ((uint)group >= (uint)layout.GroupCount)
                throw new ArgumentOutOfRangeException(name, group, $"the group of input {input} is not within 0 to {layout.GroupCount - 1}");
            if (filled[group] == layout.GroupSize)
                throw new ArgumentException($"group {group} has more than {layout.GroupSize} inputs", name);
            int place = group * layout.GroupSize + filled[group]++;
            order[place] = input;
            isSorted &= place == input;
        }
        return isSorted ? [] : order;
    }

    /// <summary>Whether each number below the length is there once.</summary>
    public static bool IsPermutation(ReadOnlySpan<int> order)
    {
        var seen = new bool[order.Length];
        foreach (int input in order)
        {
            if ((uint)input >= (uint)order.Length || seen[input])
                return false;
            seen[input] = true;
        }
        return true;
    }
}
