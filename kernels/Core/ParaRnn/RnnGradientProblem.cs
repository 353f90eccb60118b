namespace Kernels.Core.ParaRnn;

/// <summary>A backward pass with every argument checked.</summary>
internal readonly ref struct RnnGradientProblem<TCell, T>
    where TCell : struct, IDifferentiableRnnCell
    where T : unmanaged
{
    public readonly RnnShape Shape;
    public readonly ReadOnlySpan<T> Gates;
    public readonly ReadOnlySpan<T> Weights;
    public readonly ReadOnlySpan<T> States;
    public readonly ReadOnlySpan<T> StateGradients;
    public readonly Span<T> GateGradients;
    public readonly Span<T> WeightGradients;
    public readonly RnnGradientOptions<T> Options;

    public RnnGradientProblem(
        ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, ReadOnlySpan<T> states, ReadOnlySpan<T> stateGradients,
        Span<T> gateGradients, Span<T> weightGradients, in RnnShape shape, in RnnGradientOptions<T> options)
    {
        RnnChecks.Element<T>();
        RnnChecks.Cell<TCell>();
        RnnChecks.Shape(shape, nameof(shape));
        RnnChecks.Exactly(gates.Length, shape.Elements(TCell.GateCount), nameof(gates));
        RnnChecks.Exactly(weights.Length, (long)TCell.WeightCount * shape.ChannelCount, nameof(weights));
        RnnChecks.Exactly(states.Length, shape.Elements(TCell.StateCount), nameof(states));
        RnnChecks.Exactly(stateGradients.Length, states.Length, nameof(stateGradients));
        RnnChecks.Exactly(gateGradients.Length, gates.Length, nameof(gateGradients));
        RnnChecks.Exactly(weightGradients.Length, weights.Length, nameof(weightGradients));
        long stateElements = (long)shape.SequenceCount * TCell.StateCount * shape.ChannelCount;
        RnnChecks.Direction(options.Direction);
        RnnChecks.ExactlyOrEmpty(options.InitialState.Length, stateElements, nameof(options.InitialState));
        RnnChecks.ExactlyOrEmpty(options.FinalStateGradient.Length, stateElements, nameof(options.FinalStateGradient));
        RnnChecks.ExactlyOrEmpty(options.InitialStateGradient.Length, stateElements, nameof(options.InitialStateGradient));
        RnnChecks.Lengths(options.Lengths, shape, nameof(options.Lengths));
        RnnChecks.ExactlyOrEmpty(options.Resets.Length, (long)shape.SequenceCount * shape.StepCount, nameof(options.Resets));
        RnnChecks.Kernel(options.Kernel);
        Shape = shape;
        Gates = gates;
        Weights = weights;
        States = states;
        StateGradients = stateGradients;
        GateGradients = gateGradients;
        WeightGradients = weightGradients;
        Options = options;
        CheckOutput(gateGradients, nameof(gateGradients));
        CheckOutput(weightGradients, nameof(weightGradients));
        CheckOutput(options.InitialStateGradient, nameof(options.InitialStateGradient));
        RnnChecks.Disjoint<T>(gateGradients, weightGradients, nameof(gateGradients), nameof(weightGradients));
        RnnChecks.Disjoint<T>(gateGradients, options.InitialStateGradient, nameof(gateGradients), nameof(options.InitialStateGradient));
        RnnChecks.Disjoint<T>(weightGradients, options.InitialStateGradient, nameof(weightGradients), nameof(options.InitialStateGradient));
    }

    private void CheckOutput(ReadOnlySpan<T> output, string name)
    {
        RnnChecks.Disjoint(Gates, output, nameof(Gates), name);
        RnnChecks.Disjoint(Weights, output, nameof(Weights), name);
        RnnChecks.Disjoint(States, output, nameof(States), name);
        RnnChecks.Disjoint(StateGradients, output, nameof(StateGradients), name);
        RnnChecks.Disjoint(Options.InitialState, output, nameof(Options.InitialState), name);
        RnnChecks.Disjoint(Options.FinalStateGradient, output, nameof(Options.FinalStateGradient), name);
    }
}
