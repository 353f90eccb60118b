using Kernels.Core.Checks;

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
        Check.Exactly(gates.Length, shape.Elements(TCell.GateCount), nameof(gates));
        Check.Exactly(weights.Length, (long)TCell.WeightCount * shape.ChannelCount, nameof(weights));
        Check.Exactly(states.Length, shape.Elements(TCell.StateCount), nameof(states));
        Check.Exactly(stateGradients.Length, states.Length, nameof(stateGradients));
        gateGradients = Check.Written(gateGradients, gates.Length, nameof(gateGradients));
        weightGradients = Check.Written(weightGradients, weights.Length, nameof(weightGradients));
        long stateElements = (long)shape.SequenceCount * TCell.StateCount * shape.ChannelCount;
        Check.Defined(options.Direction, nameof(options.Direction));
        Check.ExactlyOrEmpty(options.InitialState.Length, stateElements, nameof(options.InitialState));
        Check.ExactlyOrEmpty(options.FinalStateGradient.Length, stateElements, nameof(options.FinalStateGradient));
        Span<T> initialGradient = Check.WrittenOrEmpty(options.InitialStateGradient, stateElements, nameof(options.InitialStateGradient));
        RnnChecks.Lengths(options.Lengths, shape, nameof(options.Lengths));
        Check.ExactlyOrEmpty(options.Resets.Length, (long)shape.SequenceCount * shape.StepCount, nameof(options.Resets));
        Check.Kernel(options.Kernel);
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
        CheckOutput(initialGradient, nameof(options.InitialStateGradient));
        Check.Disjoint<T, T>(gateGradients, weightGradients, nameof(gateGradients), nameof(weightGradients));
        Check.Disjoint<T, T>(gateGradients, initialGradient, nameof(gateGradients), nameof(options.InitialStateGradient));
        Check.Disjoint<T, T>(weightGradients, initialGradient, nameof(weightGradients), nameof(options.InitialStateGradient));
    }

    private void CheckOutput(ReadOnlySpan<T> output, string name)
    {
        Check.Disjoint(Gates, output, nameof(Gates), name);
        Check.Disjoint(Weights, output, nameof(Weights), name);
        Check.Disjoint(States, output, nameof(States), name);
        Check.Disjoint(StateGradients, output, nameof(StateGradients), name);
        Check.Disjoint(Options.InitialState, output, nameof(Options.InitialState), name);
        Check.Disjoint(Options.FinalStateGradient, output, nameof(Options.FinalStateGradient), name);
    }
}
