using Kernels.Core.Checks;

namespace Kernels.Core.Int8Decomposition;

/// <summary>The argument checks that several operations share. Every message names the parameter and the value.</summary>
internal static class Int8DecompositionChecks
{
    public static void ElementType<T>() where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(Half) && typeof(T) != typeof(BrainFloat16))
            throw new NotSupportedException($"The element type {typeof(T)} has no int8 kernels: use float, Half or Kernels.BrainFloat16.");
    }

    /// <summary>The number of rows that a length gives; it must be whole.</summary>
    public static int RowCount(int length, int rowLength, string name, string rowLengthName)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowLength, 1, rowLengthName);
        return Check.Rows(length, rowLength, name);
    }

    public static void Threshold(float threshold, string name)
    {
        if (!(threshold >= 0 && float.IsFinite(threshold)))
            throw new ArgumentOutOfRangeException(name, threshold, "the threshold must be a finite number of at least 0; 0 turns decomposition off");
    }

    /// <summary>Largest magnitudes as quantisation makes them: finite and not negative.</summary>
    public static void AbsMax(ReadOnlySpan<float> absMax, string name)
    {
        for (int i = 0; i < absMax.Length; i++)
        {
            if (!(absMax[i] >= 0 && float.IsFinite(absMax[i])))
                throw new ArgumentOutOfRangeException(name, absMax[i], $"element {i} is no largest magnitude: a finite number of at least 0 is needed");
        }
    }
}
