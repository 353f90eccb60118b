using Kernels.Core.ParaRnn;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// Nonlinear recurrences h[t] = f(h[t-1], x[t]) of cells whose channels do not mix: step after step in SIMD over channels, or parallel over time, by Newton's
/// method (ParaRNN, arXiv 2510.21450) or by multiple shooting, whose result is that of the sequential solver bit for bit. And their exact gradients.
/// </summary>
/// <remarks>
/// <para>All arrays are row-major. In time-major order gate inputs are [steps, sequences, gates, channels] and states [steps, sequences, components, channels];
/// batch-major order swaps the first two. Gate inputs are what does not depend on the state, B x + b, for all steps at once; recurrent weights are [weights,
/// channels].</para>
/// <para>A channel of a sequence is its own: its bits depend neither on its batch mates nor on the number of threads. NaN or infinity in a channel's inputs or
/// weights gives what IEEE arithmetic makes of it in that channel, from that step on, and nowhere else.</para>
/// <para>Calls are safe from several threads at once. Scratch comes from the shared array pool: nothing is allocated once that is warm.</para>
/// </remarks>
public static class ParaRnn
{
    /// <summary>Computes the states of all steps.</summary>
    /// <param name="gates">The gate inputs, shape [steps, sequences, gates, channels] or by <see cref="RnnShape.Order"/>.</param>
    /// <param name="weights">The recurrent weights, [weights, channels].</param>
    /// <param name="states">Receives the states, shape [steps, sequences, components, channels]; must not overlap an input.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Solver, initial state, lengths, resets, direction.</param>
    /// <returns>What was done: the solver, why, and how well it converged.</returns>
    /// <exception cref="ArgumentException">A size or an option is wrong, or an output overlaps an input; nothing has been written.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double, or the cell has more components than there can
    /// be.</exception>
    /// <typeparam name="TCell">The cell: <see cref="ParaGru"/>, <see cref="ParaLstm"/>, <see cref="MinGru"/>, <see cref="DiagonalElman"/> or your own; one with
    /// only a step goes as <see cref="AutomaticDerivatives{TCell}"/>.</typeparam>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static unsafe SolveReport Forward<TCell, T>(
        ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, Span<T> states, RnnShape shape, RnnOptions<T> options = default)
        where TCell : struct, IDifferentiableRnnCell
        where T : unmanaged
    {
        var problem = new RnnProblem<TCell, T>(gates, weights, states, shape, options);
        IParaRnnBackend<T> backend = ParaRnnVariants<T>.Table.Select(options.Kernel);
        fixed (T* gatesAt = problem.Gates, weightsAt = problem.Weights, statesAt = problem.States, initial = options.InitialState, final = options.FinalState)
        fixed (int* lengths = options.Lengths)
        fixed (bool* resets = options.Resets)
        {
            var arrays = new RnnArrays<T>
            {
                Shape = shape,
                Direction = options.Direction,
                Gates = gatesAt,
                Weights = weightsAt,
                States = statesAt,
                InitialState = initial,
                FinalState = final,
                Lengths = lengths,
                Resets = resets,
            };
            return backend.Forward<TCell>(arrays, RnnSolverSettings.Of(options), options.Kernel);
        }
    }

    /// <summary>
    /// Computes the gradients of a loss from its gradients by the states: g[t] = dL/dh[t] + J[t+1]^T g[t+1], one recurrence backwards in time, with Jacobians
    /// computed anew from the states.
    /// </summary>
    /// <param name="gates">The forward pass's gate inputs.</param>
    /// <param name="weights">The forward pass's weights.</param>
    /// <param name="states">The states it computed.</param>
    /// <param name="stateGradients">The loss's gradient by each state, shaped as these; not used beyond a sequence's length.</param>
    /// <param name="gateGradients">Receives the gradients by the gate inputs, shaped as these; zeros beyond a sequence's length.</param>
    /// <param name="weightGradients">Receives the gradients by the weights, [weights, channels], summed over steps and sequences in a fixed order.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">What the forward pass was given, and what else to compute.</param>
    /// <exception cref="ArgumentException">A size or an option is wrong, or an output overlaps another array; nothing has been written.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double, or the cell has more components than there can
    /// be.</exception>
    /// <typeparam name="TCell">The forward pass's cell.</typeparam>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static unsafe void Backward<TCell, T>(
        ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, ReadOnlySpan<T> states, ReadOnlySpan<T> stateGradients,
        Span<T> gateGradients, Span<T> weightGradients, RnnShape shape, RnnGradientOptions<T> options = default)
        where TCell : struct, IDifferentiableRnnCell
        where T : unmanaged
    {
        var problem = new RnnGradientProblem<TCell, T>(gates, weights, states, stateGradients, gateGradients, weightGradients, shape, options);
        IParaRnnBackend<T> backend = ParaRnnVariants<T>.Table.Select(options.Kernel);
        fixed (T* gatesAt = problem.Gates, weightsAt = problem.Weights, statesAt = problem.States, stateGradientsAt = problem.StateGradients)
        fixed (T* gateGradientsAt = problem.GateGradients, weightGradientsAt = problem.WeightGradients)
        fixed (T* initial = options.InitialState, final = options.FinalStateGradient, initialGradient = options.InitialStateGradient)
        fixed (int* lengths = options.Lengths)
        fixed (bool* resets = options.Resets)
        {
            var arrays = new RnnArrays<T>
            {
                Shape = shape,
                Direction = options.Direction,
                Gates = gatesAt,
                Weights = weightsAt,
                States = statesAt,
                InitialState = initial,
                Lengths = lengths,
                Resets = resets,
            };
            var gradients = new RnnGradientArrays<T>
            {
                StateGradients = stateGradientsAt,
                FinalStateGradient = final,
                GateGradients = gateGradientsAt,
                WeightGradients = weightGradientsAt,
                InitialStateGradient = initialGradient,
            };
            backend.Backward<TCell>(arrays, gradients, options.Kernel);
        }
    }
}
