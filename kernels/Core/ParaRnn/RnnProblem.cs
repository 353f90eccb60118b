namespace Kernels.Core.ParaRnn;

/// <summary>A forward pass with every argument checked.</summary>
internal readonly ref struct RnnProblem<TCell, T>
    where TCell : struct, IRnnCell
    where T : unmanaged
{
    public readonly RnnShape Shape;
    public readonly ReadOnlySpan<T> Gates;
    public readonly ReadOnlySpan<T> Weights;
    public readonly Span<T> States;
    public readonly RnnOptions<T> Options;

    public RnnProblem(ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, Span<T> states, in RnnShape shape, in RnnOptions<T> options)
    {
        RnnChecks.Element<T>();
        RnnChecks.Cell<TCell>();
        RnnChecks.Shape(shape, nameof(shape));
        RnnChecks.Exactly(gates.Length, shape.Elements(TCell.GateCount), nameof(gates));
        RnnChecks.Exactly(weights.Length, (long)TCell.WeightCount * shape.ChannelCount, nameof(weights));
        RnnChecks.Exactly(states.Length, shape.Elements(TCell.StateCount), nameof(states));
        Check(shape, options);
        RnnChecks.Disjoint(gates, states, nameof(gates), nameof(states));
        RnnChecks.Disjoint(weights, states, nameof(weights), nameof(states));
        RnnChecks.Disjoint(options.InitialState, states, nameof(options.InitialState), nameof(states));
        RnnChecks.Disjoint(states, options.FinalState, nameof(states), nameof(options.FinalState));
        RnnChecks.Disjoint(gates, options.FinalState, nameof(gates), nameof(options.FinalState));
        RnnChecks.Disjoint(weights, options.FinalState, nameof(weights), nameof(options.FinalState));
        RnnChecks.Disjoint(options.InitialState, options.FinalState, nameof(options.InitialState), nameof(options.FinalState));
        Shape = shape;
        Gates = gates;
        Weights = weights;
        States = states;
        Options = options;
    }

    private static void Check(in RnnShape shape, in RnnOptions<T> options)
    {
        long stateElements = (long)shape.SequenceCount * TCell.StateCount * shape.ChannelCount;
        if (!Enum.IsDefined(options.Solver))
            throw new ArgumentOutOfRangeException(nameof(options.Solver), options.Solver, "no such solver");
        RnnChecks.Direction(options.Direction);
        RnnChecks.ExactlyOrEmpty(options.InitialState.Length, stateElements, nameof(options.InitialState));
        RnnChecks.ExactlyOrEmpty(options.FinalState.Length, stateElements, nameof(options.FinalState));
        RnnChecks.Lengths(options.Lengths, shape, nameof(options.Lengths));
        RnnChecks.ExactlyOrEmpty(options.Resets.Length, (long)shape.SequenceCount * shape.StepCount, nameof(options.Resets));
        RnnChecks.AtLeastOne(options.MaxIterations, nameof(options.MaxIterations));
        RnnChecks.AtLeastOne(options.MaxSweeps, nameof(options.MaxSweeps));
        RnnChecks.AtLeastOne(options.SegmentCount, nameof(options.SegmentCount));
        if (options.Damping is not (null or (> 0 and <= 1)))
            throw new ArgumentOutOfRangeException(nameof(options.Damping), options.Damping, "a number above 0 and up to 1 is needed");
        if (options.Tolerance is not (null or (> 0 and < double.PositiveInfinity)))
            throw new ArgumentOutOfRangeException(nameof(options.Tolerance), options.Tolerance, "a finite number above 0 is needed");
        RnnChecks.Kernel(options.Kernel);
    }
}
