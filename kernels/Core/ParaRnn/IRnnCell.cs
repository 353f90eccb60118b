namespace Kernels;

/// <summary>
/// A recurrent cell whose channels do not mix: next = f(state, gates; weights) for one channel and one step. State and gate inputs have a few components;
/// mixing between channels is left to the product that makes the gate inputs, B x + b, for all steps at once. An empty struct with static members: pass it as a
/// type argument.
/// </summary>
/// <remarks>
/// Write <see cref="Step"/> once against <see cref="IRnnArithmetic{V}"/>, and every solver of the forward pass runs it in SIMD. For Newton's method and
/// gradients wrap the cell in <see cref="AutomaticDerivatives{TCell}"/>, or write the derivatives by hand as an <see cref="IDifferentiableRnnCell"/>, which is
/// faster.
/// </remarks>
public interface IRnnCell
{
    /// <summary>The number of gate inputs of a channel and step, 1 to 32.</summary>
    static abstract int GateCount { get; }

    /// <summary>The number of components of a channel's state, 1 to 4: the size of its Jacobian block.</summary>
    static abstract int StateCount { get; }

    /// <summary>The number of recurrent weights of a channel, 0 to 32.</summary>
    static abstract int WeightCount { get; }

    /// <summary>
    /// Writes the next state. All of <paramref name="state"/> is read before <paramref name="next"/> is written only if the cell does so: the two never share
    /// memory.
    /// </summary>
    /// <param name="gates">The gate inputs of the step, [<see cref="GateCount"/>].</param>
    /// <param name="weights">The recurrent weights, [<see cref="WeightCount"/>].</param>
    /// <param name="state">The state before the step, [<see cref="StateCount"/>].</param>
    /// <param name="next">The state after it, [<see cref="StateCount"/>].</param>
    static abstract void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>;
}

/// <summary>A cell that knows its derivatives, as Newton's method and the backward pass need them.</summary>
public interface IDifferentiableRnnCell : IRnnCell
{
    /// <summary>
    /// Writes the next state and its Jacobian, [<see cref="IRnnCell.StateCount"/>, <see cref="IRnnCell.StateCount"/>] row-major: jacobian[i s + j] = d next[i]
    /// / d state[j].
    /// </summary>
    static abstract void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>;

    /// <summary>
    /// The transposed derivative of one step: from the loss's gradient by the next state, its gradients by the state before (written), by the gate inputs
    /// (written) and by the weights (added to what is there).
    /// </summary>
    static abstract void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>;
}
