using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// Gives a cell that has only <see cref="IRnnCell.Step"/> its derivatives, by running the step on numbers that carry a derivative: one run for each state
/// component (Jacobian), one for each gate input and weight besides (backward). Exact but for rounding; for trials, and to check derivatives written by hand.
/// </summary>
/// <typeparam name="TCell">The cell.</typeparam>
public readonly struct AutomaticDerivatives<TCell> : IDifferentiableRnnCell where TCell : struct, IRnnCell
{
    /// <inheritdoc/>
    public static int GateCount => TCell.GateCount;

    /// <inheritdoc/>
    public static int StateCount => TCell.StateCount;

    /// <inheritdoc/>
    public static int WeightCount => TCell.WeightCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V> =>
        TCell.Step<V, TMath>(gates, weights, state, next);

    /// <inheritdoc/>
    [SkipLocalsInit]
    public static void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        Span<RnnDual<V>> inputs = stackalloc RnnDual<V>[StateCount + GateCount + WeightCount], outputs = stackalloc RnnDual<V>[StateCount];
        Load<V, TMath>(gates, weights, state, inputs);
        for (int j = 0; j < StateCount; j++)
        {
            Differentiate<V, TMath>(inputs, j, outputs);
            for (int i = 0; i < StateCount; i++)
                jacobian[i * StateCount + j] = outputs[i].Tangent;
        }
        for (int i = 0; i < StateCount; i++)
            next[i] = outputs[i].Value;
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public static void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        Span<RnnDual<V>> inputs = stackalloc RnnDual<V>[StateCount + GateCount + WeightCount], outputs = stackalloc RnnDual<V>[StateCount];
        Load<V, TMath>(gates, weights, state, inputs);
        for (int j = 0; j < inputs.Length; j++)
        {
            Differentiate<V, TMath>(inputs, j, outputs);
            V gradient = TMath.Multiply(outputs[0].Tangent, nextGradient[0]);
            for (int i = 1; i < StateCount; i++)
                gradient = TMath.MultiplyAdd(outputs[i].Tangent, nextGradient[i], gradient);
            if (j < StateCount)
                stateGradient[j] = gradient;
            else if (j < StateCount + GateCount)
                gateGradients[j - StateCount] = gradient;
            else
                weightGradients[j - StateCount - GateCount] = TMath.Add(weightGradients[j - StateCount - GateCount], gradient);
        }
    }

    // State, gates and weights side by side, all with tangent 0.
    private static void Load<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, Span<RnnDual<V>> inputs)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            V value = i < StateCount ? state[i] : i < StateCount + GateCount ? gates[i - StateCount] : weights[i - StateCount - GateCount];
            inputs[i] = new(value, TMath.Constant(0));
        }
    }

    // One step with tangent 1 for one of the inputs.
    private static void Differentiate<V, TMath>(Span<RnnDual<V>> inputs, int direction, Span<RnnDual<V>> outputs)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V value = inputs[direction].Value;
        inputs[direction] = new(value, TMath.Constant(1));
        TCell.Step<RnnDual<V>, DualArithmetic<V, TMath>>(
            new(inputs[StateCount..]), new(inputs[(StateCount + GateCount)..]), new(inputs[..StateCount]), new(outputs));
        inputs[direction] = new(value, TMath.Constant(0));
    }
}
