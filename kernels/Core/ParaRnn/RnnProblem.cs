using Kernels.Core.Checks;

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
        Check.Exactly(gates.Length, shape.Elements(TCell.GateCount), nameof(gates));
        Check.Exactly(weights.Length, (long)TCell.WeightCount * shape.ChannelCount, nameof(weights));
        states = Check.Written(states, shape.Elements(TCell.StateCount), nameof(states));
        CheckOptions(shape, options);
        Span<T> final = Check.WrittenOrEmpty(options.FinalState, StateElements(shape), nameof(options.FinalState));
        Check.Disjoint(gates, states, nameof(gates), nameof(states));
        Check.Disjoint(weights, states, nameof(weights), nameof(states));
        Check.Disjoint(options.InitialState, states, nameof(options.InitialState), nameof(states));
        Check.Disjoint<T, T>(states, final, nameof(states), nameof(options.FinalState));
        Check.Disjoint(gates, final, nameof(gates), nameof(options.FinalState));
        Check.Disjoint(weights, final, nameof(weights), nameof(options.FinalState));
        Check.Disjoint(options.InitialState, final, nameof(options.InitialState), nameof(options.FinalState));
        Shape = shape;
        Gates = gates;
        Weights = weights;
        States = states;
        Options = options;
    }

    private static long StateElements(in RnnShape shape) => (long)shape.SequenceCount * TCell.StateCount * shape.ChannelCount;

    private static void CheckOptions(in RnnShape shape, in RnnOptions<T> options)
    {
        Check.Defined(options.Solver, nameof(options.Solver));
        Check.Defined(options.Direction, nameof(options.Direction));
        Check.ExactlyOrEmpty(options.InitialState.Length, StateElements(shape), nameof(options.InitialState));
        RnnChecks.Lengths(options.Lengths, shape, nameof(options.Lengths));
        Check.ExactlyOrEmpty(options.Resets.Length, (long)shape.SequenceCount * shape.StepCount, nameof(options.Resets));
        Check.AtLeastOne(options.MaxIterations, nameof(options.MaxIterations));
        Check.AtLeastOne(options.MaxSweeps, nameof(options.MaxSweeps));
        Check.AtLeastOne(options.SegmentCount, nameof(options.SegmentCount));
        if (options.Damping is not (null or (> 0 and <= 1)))
            throw new ArgumentOutOfRangeException(nameof(options.Damping), options.Damping, "a number above 0 and up to 1 is needed");
        if (options.Tolerance is not (null or (> 0 and < double.PositiveInfinity)))
            throw new ArgumentOutOfRangeException(nameof(options.Tolerance), options.Tolerance, "a finite number above 0 is needed");
        Check.Kernel(options.Kernel);
    }
}
