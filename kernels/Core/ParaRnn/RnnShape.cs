namespace Kernels;

/// <summary>Which of the two leading dimensions comes first in memory.</summary>
public enum RnnOrder
{
    /// <summary>[steps, sequences, components, channels].</summary>
    TimeMajor,

    /// <summary>[sequences, steps, components, channels].</summary>
    BatchMajor,
}

/// <summary>
/// The sizes of a batch of sequences. Gate inputs are [steps, sequences, gates, channels] or [sequences, steps, gates, channels], states the same with the
/// cell's components in the place of the gates, all row-major; initial and final states are [sequences, components, channels], weights [weights, channels].
/// </summary>
/// <param name="SequenceCount">The number of sequences; 0 or more.</param>
/// <param name="StepCount">The steps of the longest sequence; 0 or more.</param>
/// <param name="ChannelCount">The number of channels (hidden units); 0 or more.</param>
/// <param name="Order">Time-major or batch-major.</param>
public readonly record struct RnnShape(int SequenceCount, int StepCount, int ChannelCount, RnnOrder Order = RnnOrder.TimeMajor)
{
    /// <summary>Elements of an array that has this many components for each sequence, step and channel.</summary>
    /// <param name="components">Components, 0 or more.</param>
    /// <exception cref="OverflowException">The product exceeds 64 bits.</exception>
    public long Elements(int components) => checked((long)SequenceCount * StepCount * ChannelCount * components);

    // Elements from one step, and from one sequence, to the next.
    internal long StepStride(int components) => (Order == RnnOrder.TimeMajor ? (long)SequenceCount : 1) * components * ChannelCount;

    internal long SequenceStride(int components) => (Order == RnnOrder.TimeMajor ? 1 : (long)StepCount) * components * ChannelCount;
}
