using System.Runtime.InteropServices;

namespace Kernels.Core.ParaRnn;

/// <summary>The checks that the problems of this family share.</summary>
internal static class RnnChecks
{
    public const int MaxStateCount = 4, MaxComponentCount = 32;

    public static void Shape(in RnnShape shape, string name)
    {
        if (shape.SequenceCount < 0 || shape.StepCount < 0 || shape.ChannelCount < 0)
            throw new ArgumentOutOfRangeException(name, shape, "a count is negative");
        if (!Enum.IsDefined(shape.Order))
            throw new ArgumentOutOfRangeException(name, shape.Order, "neither time-major nor batch-major");
        // More than a span can hold, whatever the cell's components; from here on products of the sizes fit 64 bits.
        long steps = (long)shape.SequenceCount * shape.StepCount, states = (long)shape.SequenceCount * shape.ChannelCount;
        if (steps > int.MaxValue || states > int.MaxValue || steps * shape.ChannelCount > int.MaxValue)
            throw new ArgumentOutOfRangeException(name, shape, $"sequences times steps times channels exceed the {int.MaxValue} elements of a span");
    }

    /// <summary>The length of an array, of a product of sizes.</summary>
    public static int ArrayLength(long length, string name)
    {
        if (length > Array.MaxLength)
            throw new ArgumentOutOfRangeException(name, length, $"more elements than the {Array.MaxLength} of an array");
        return (int)length;
    }

    public static void AtLeastOne(int? count, string name)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(name, count, "a whole number from 1 on is needed");
    }

    public static void Cell<TCell>() where TCell : struct, IRnnCell
    {
        if (TCell.StateCount is < 1 or > MaxStateCount || TCell.GateCount is < 1 or > MaxComponentCount || TCell.WeightCount is < 0 or > MaxComponentCount)
            throw new NotSupportedException(
                $"{typeof(TCell).Name} has {TCell.StateCount} state components, {TCell.GateCount} gates and {TCell.WeightCount} weights; 1 to {MaxStateCount}, 1 to {MaxComponentCount} and 0 to {MaxComponentCount} are supported");
    }

    public static void Element<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
            throw new NotSupportedException($"Recurrences run on float and double, not on {typeof(T)}");
    }

    public static void Exactly(long length, long needed, string name)
    {
        if (length != needed)
            throw new ArgumentException($"{length} elements, but the shape has {needed}", name);
    }

    public static void ExactlyOrEmpty(long length, long needed, string name)
    {
        if (length != 0)
            Exactly(length, needed, name);
    }

    public static void Lengths(ReadOnlySpan<int> lengths, in RnnShape shape, string name)
    {
        ExactlyOrEmpty(lengths.Length, shape.SequenceCount, name);
        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            if ((uint)lengths[sequence] > (uint)shape.StepCount)
                throw new ArgumentOutOfRangeException(name, lengths[sequence], $"the length of sequence {sequence} is not within 0 to {shape.StepCount}");
        }
    }

    public static void Kernel(in KernelOptions options) =>
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxDegreeOfParallelism, nameof(KernelOptions.MaxDegreeOfParallelism));

    public static void Direction(RnnDirection direction)
    {
        if (!Enum.IsDefined(direction))
            throw new ArgumentOutOfRangeException(nameof(direction), direction, "neither forward nor reverse");
    }

    public static void Disjoint<T>(ReadOnlySpan<T> input, ReadOnlySpan<T> output, string inputName, string outputName) where T : unmanaged
    {
        if (MemoryMarshal.AsBytes(input).Overlaps(MemoryMarshal.AsBytes(output)))
            throw new ArgumentException($"the span overlaps {inputName}", outputName);
    }
}
