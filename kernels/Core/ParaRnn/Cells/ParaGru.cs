using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// The gated recurrent unit with diagonal recurrence of ParaRNN (arXiv 2510.21450): z = sigmoid(a_z h + x_z), r = sigmoid(a_r h + x_r), c = tanh(a_c (h r) +
/// x_c), h' = (1 - z) h + z c. Gate inputs x and weights a in the order z, r, c.
/// </summary>
/// <remarks>z weighs the new candidate, other than in torch's GRU, where it weighs the old state; the reset is applied before the recurrent weight.</remarks>
public readonly struct ParaGru : IDifferentiableRnnCell
{
    private const int Z = 0, R = 1, C = 2;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int GateCount => 3;

    /// <inheritdoc/>
    public static int StateCount => 1;

    /// <inheritdoc/>
    public static int WeightCount => 3;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V h = state[0];
        V r = TMath.Sigmoid(TMath.MultiplyAdd(weights[R], h, gates[R]));
        V z = TMath.Sigmoid(TMath.MultiplyAdd(weights[Z], h, gates[Z]));
        V c = TMath.Tanh(TMath.MultiplyAdd(weights[C], TMath.Multiply(h, r), gates[C]));
        next[0] = TMath.MultiplyAdd(z, TMath.Subtract(c, h), h);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V one = TMath.Constant(1), h = state[0];
        V r = TMath.Sigmoid(TMath.MultiplyAdd(weights[R], h, gates[R]));
        V z = TMath.Sigmoid(TMath.MultiplyAdd(weights[Z], h, gates[Z]));
        V c = TMath.Tanh(TMath.MultiplyAdd(weights[C], TMath.Multiply(h, r), gates[C]));
        V difference = TMath.Subtract(c, h), notZ = TMath.Subtract(one, z);
        next[0] = TMath.MultiplyAdd(z, difference, h);
        // (1 - z) + (c - h) z (1 - z) a_z + z (1 - c^2) a_c (r + h r (1 - r) a_r)
        V byReset = TMath.MultiplyAdd(TMath.Multiply(h, TMath.Multiply(r, TMath.Subtract(one, r))), weights[R], r);
        V byCandidate = TMath.Multiply(TMath.Multiply(z, TMath.Subtract(one, TMath.Multiply(c, c))), TMath.Multiply(weights[C], byReset));
        V byUpdate = TMath.Multiply(TMath.Multiply(difference, z), TMath.Multiply(notZ, weights[Z]));
        jacobian[0] = TMath.Add(notZ, TMath.Add(byUpdate, byCandidate));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V one = TMath.Constant(1), h = state[0], g = nextGradient[0];
        V r = TMath.Sigmoid(TMath.MultiplyAdd(weights[R], h, gates[R]));
        V z = TMath.Sigmoid(TMath.MultiplyAdd(weights[Z], h, gates[Z]));
        V reset = TMath.Multiply(h, r);
        V c = TMath.Tanh(TMath.MultiplyAdd(weights[C], reset, gates[C]));
        V notZ = TMath.Subtract(one, z), slopeR = TMath.Multiply(r, TMath.Subtract(one, r));
        // Each gate's gradient is g times a factor that does not depend on g: the chain through the steps is one product.
        V factorC = TMath.Multiply(z, TMath.Subtract(one, TMath.Multiply(c, c)));
        V factorZ = TMath.Multiply(TMath.Subtract(c, h), TMath.Multiply(z, notZ));
        V factorR = TMath.Multiply(TMath.Multiply(factorC, weights[C]), TMath.Multiply(h, slopeR));
        V throughCandidate = TMath.Multiply(TMath.Multiply(factorC, weights[C]), TMath.MultiplyAdd(TMath.Multiply(h, slopeR), weights[R], r));
        stateGradient[0] = TMath.Multiply(g, TMath.Add(TMath.MultiplyAdd(factorZ, weights[Z], notZ), throughCandidate));
        V gz = TMath.Multiply(g, factorZ), gr = TMath.Multiply(g, factorR), gc = TMath.Multiply(g, factorC);
        gateGradients[Z] = gz;
        gateGradients[R] = gr;
        gateGradients[C] = gc;
        weightGradients[Z] = TMath.MultiplyAdd(gz, h, weightGradients[Z]);
        weightGradients[R] = TMath.MultiplyAdd(gr, h, weightGradients[R]);
        weightGradients[C] = TMath.MultiplyAdd(gc, reset, weightGradients[C]);
    }
}
