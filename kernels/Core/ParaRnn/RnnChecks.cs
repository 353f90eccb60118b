using Kernels.Core.Checks;

namespace Kernels.Core.ParaRnn;

/// <summary>The checks that the problems of this family share.</summary>
internal static class RnnChecks
{
    public const int MaxStateCount = 4, MaxComponentCount = 32;

    public static void Shape(in RnnShape shape, string name)
    {
        if (shape.SequenceCount < 0 || shape.StepCount < 0 || shape.ChannelCount < 0)
            throw new ArgumentOutOfRangeException(name, shape, "a count is negative");
        Check.Defined(shape.Order, name);
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

    public static void Cell<TCell>() where TCell : struct, IRnnCell
    {
        if (TCell.StateCount is < 1 or > MaxStateCount || TCell.GateCount is < 1 or > MaxComponentCount || TCell.WeightCount is < 0 or > MaxComponentCount)
            throw new NotSupportedException(
                $"{typeof(TCell).Name} has {TCell.StateCount} state components, {TCell.GateCount} gates and {TCell.WeightCount} weights; 1 to " +
                $"{MaxStateCount}, 1 to {MaxComponentCount} and 0 to {MaxComponentCount} are supported");
    }

    public static void Element<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
            throw new NotSupportedException($"Recurrences run on float and double, not on {typeof(T)}");
    }

    public static void Lengths(ReadOnlySpan<int> lengths, in RnnShape shape, string name)
    {
        Check.ExactlyOrEmpty(lengths.Length, shape.SequenceCount, name);
        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            if ((uint)lengths[sequence] > (uint)shape.StepCount)
                throw new ArgumentOutOfRangeException(name, lengths[sequence], $"the length of sequence {sequence} is not within 0 to {shape.StepCount}");
        }
    }
}
