using Kernels.Core.ParaRnn;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Steps of one sequence that follow one another without a reset, in the order in which they are computed. Resets, lengths and direction end here: kernels see
/// runs only.
/// </summary>
internal unsafe struct RnnRun<T> where T : unmanaged
{
    /// <summary>Gates and states of the first step.</summary>
    public T* Gates, States;

    /// <summary>The state before it, [components] at a distance of the channel count.</summary>
    public T* Start;
    public int Steps, Sequence;

    /// <summary>What is left from a step on.</summary>
    public readonly RnnRun<T> From(int step, in RnnStrides strides)
    {
        if (step == 0)
            return this;
        RnnRun<T> rest = this;
        rest.Gates += step * strides.GateStep;
        rest.States += step * strides.StateStep;
        rest.Start = rest.States - strides.StateStep;
        rest.Steps -= step;
        return rest;
    }

    /// <summary>Some neighbouring channels as lanes.</summary>
    public readonly RnnLanes<T> Lanes(int channel, int count, int lane, T* weights, in RnnStrides strides) => new()
    {
        Gates = Gates + channel,
        States = States + channel,
        Weights = weights + channel,
        Start = Start + channel,
        StartStride = strides.Channels,
        Lane = lane,
        Count = count,
        Steps = Steps,
    };
}

/// <summary>
/// Distances in elements; those from step to step are negative where time runs backwards. Components of gates, states and weights are a channel count apart.
/// </summary>
internal readonly record struct RnnStrides(int Channels, long GateStep, long StateStep, long GateSequence, long StateSequence)
{
    public static RnnStrides Of(in RnnShape shape, RnnDirection direction, int gates, int components)
    {
        int sign = direction == RnnDirection.Reverse ? -1 : 1;
        return new(shape.ChannelCount, sign * shape.StepStride(gates), sign * shape.StepStride(components), shape.SequenceStride(gates),
            shape.SequenceStride(components));
    }
}

/// <summary>Cuts sequences into runs.</summary>
internal static unsafe class RnnRuns
{
    /// <summary>An upper bound of their number.</summary>
    public static long Capacity<T>(in RnnArrays<T> arrays) where T : unmanaged
    {
        long count = arrays.Shape.SequenceCount;
        if (arrays.Resets != null)
            count += new ReadOnlySpan<bool>(arrays.Resets, checked((int)((long)arrays.Shape.SequenceCount * arrays.Shape.StepCount))).Count(true);
        return count;
    }

    /// <summary>Writes the runs, in the order of sequences and of computation; those without steps are left out.</summary>
    /// <param name="arrays">The problem.</param>
    /// <param name="strides">Its distances.</param>
    /// <param name="components">The components of a state.</param>
    /// <param name="zeros">A state of zeros.</param>
    /// <param name="runs">Where to.</param>
    public static int Cut<T>(in RnnArrays<T> arrays, in RnnStrides strides, int components, T* zeros, RnnRun<T>* runs) where T : unmanaged
    {
        int count = 0;
        for (int sequence = 0; sequence < arrays.Shape.SequenceCount; sequence++)
        {
            int length = arrays.LengthOf(sequence);
            bool isReverse = arrays.Direction == RnnDirection.Reverse;
            T* start = arrays.InitialState == null ? zeros : arrays.InitialState + (long)sequence * components * strides.Channels;
            for (int begin = 0; begin < length;)
            {
                int end = begin + 1;
                while (end < length && !IsReset(arrays, sequence, isReverse ? length - 1 - end : end))
                    end++;
                bool fromZero = begin > 0 || IsReset(arrays, sequence, isReverse ? length - 1 : 0);
                int origin = isReverse ? length - 1 : 0;
                runs[count++] = new RnnRun<T>
                {
                    Gates = arrays.Gates + sequence * strides.GateSequence + origin * Math.Abs(strides.GateStep) + begin * strides.GateStep,
                    States = arrays.States + sequence * strides.StateSequence + origin * Math.Abs(strides.StateStep) + begin * strides.StateStep,
                    Start = fromZero ? zeros : start,
                    Steps = end - begin,
                    Sequence = sequence,
                };
                begin = end;
            }
        }
        return count;
    }

    public static int MeanSteps<T>(RnnRun<T>* runs, int runCount) where T : unmanaged
    {
        long steps = 0;
        for (int run = 0; run < runCount; run++)
            steps += runs[run].Steps;
        return runCount == 0 ? 0 : (int)(steps / runCount);
    }

    private static bool IsReset<T>(in RnnArrays<T> arrays, int sequence, int step) where T : unmanaged =>
        arrays.Resets != null && arrays.Resets[(long)sequence * arrays.Shape.StepCount + step];

    /// <summary>Zeros beyond each sequence's length, in an array of that many components.</summary>
    public static void ClearPadding<T>(in RnnArrays<T> arrays, T* array, int components) where T : unmanaged
    {
        if (arrays.Lengths == null)
            return;
        long step = arrays.Shape.StepStride(components);
        for (int sequence = 0; sequence < arrays.Shape.SequenceCount; sequence++)
        {
            T* first = array + sequence * arrays.Shape.SequenceStride(components);
            for (int t = arrays.Lengths[sequence]; t < arrays.Shape.StepCount; t++)
                new Span<T>(first + t * step, components * arrays.Shape.ChannelCount).Clear();
        }
    }

    /// <summary>Copies the state after each sequence's last step.</summary>
    public static void WriteFinalStates<T>(in RnnArrays<T> arrays, int components) where T : unmanaged
    {
        if (arrays.FinalState == null)
            return;
        int row = components * arrays.Shape.ChannelCount;
        for (int sequence = 0; sequence < arrays.Shape.SequenceCount; sequence++)
        {
            var destination = new Span<T>(arrays.FinalState + (long)sequence * row, row);
            int length = arrays.LengthOf(sequence), last = arrays.Direction == RnnDirection.Reverse ? 0 : length - 1;
            if (length > 0)
                new ReadOnlySpan<T>(arrays.States + sequence * arrays.Shape.SequenceStride(components) + last * arrays.Shape.StepStride(components), row)
                    .CopyTo(destination);
            else if (arrays.InitialState != null)
                new ReadOnlySpan<T>(arrays.InitialState + (long)sequence * row, row).CopyTo(destination);
            else
                destination.Clear();
        }
    }
}
