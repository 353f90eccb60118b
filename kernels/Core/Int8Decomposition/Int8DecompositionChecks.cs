using System.Runtime.InteropServices;

namespace Kernels.Core.Int8Decomposition;

/// <summary>The argument checks that several operations share. Every message names the parameter and the value.</summary>
internal static class Int8DecompositionChecks
{
    public static void ElementType<T>() where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(Half) && typeof(T) != typeof(BFloat16))
            throw new NotSupportedException($"The element type {typeof(T)} has no int8 kernels: use float, Half or Kernels.BFloat16.");
    }

    public static void Length(long available, long needed, string name)
    {
        if (available != needed)
            throw new ArgumentException($"{available} elements, but the sizes ask for {needed}", name);
    }

    /// <summary>At least as many elements as are written.</summary>
    public static void Room(long available, long needed, string name)
    {
        if (available < needed)
            throw new ArgumentException($"{available} elements are too few: {needed} are written", name);
    }

    /// <summary>The number of rows that a length gives; it must be whole.</summary>
    public static int RowCount(int length, int rowLength, string name, string rowLengthName)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowLength, 1, rowLengthName);
        if (length % rowLength != 0)
            throw new ArgumentException($"{length} elements are no whole number of rows of {rowLength}", name);
        return length / rowLength;
    }

    public static void Threshold(float threshold, string name)
    {
        if (!(threshold >= 0 && float.IsFinite(threshold)))
            throw new ArgumentOutOfRangeException(name, threshold, "the threshold must be a finite number of at least 0; 0 turns decomposition off");
    }

    public static void Kernel(in KernelOptions options) =>
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxDegreeOfParallelism, nameof(KernelOptions.MaxDegreeOfParallelism));

    public static void Disjoint<TInput, TOutput>(ReadOnlySpan<TInput> input, ReadOnlySpan<TOutput> output, string inputName, string outputName)
        where TInput : unmanaged where TOutput : unmanaged
    {
        if (MemoryMarshal.AsBytes(input).Overlaps(MemoryMarshal.AsBytes(output)))
            throw new ArgumentException($"the span overlaps {inputName}", outputName);
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
