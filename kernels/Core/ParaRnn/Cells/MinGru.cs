using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// The minimal gated unit whose gates do not see the state ("Were RNNs All We Needed?", arXiv 2410.01201): z = sigmoid(x_z), h' = (1 - z) h + z x_c.
/// Linear in the state: Newton's method solves it in one iteration. Gate inputs in the order z, c; no recurrent weights.
/// </summary>
public readonly struct MinGru : IDifferentiableRnnCell
{
    private const int Z = 0, C = 1;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int GateCount => 2;

    /// <inheritdoc/>
    public static int StateCount => 1;

    /// <inheritdoc/>
    public static int WeightCount => 0;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V h = state[0];
        next[0] = TMath.MultiplyAdd(TMath.Sigmoid(gates[Z]), TMath.Subtract(gates[C], h), h);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V h = state[0], z = TMath.Sigmoid(gates[Z]);
        next[0] = TMath.MultiplyAdd(z, TMath.Subtract(gates[C], h), h);
        jacobian[0] = TMath.Subtract(TMath.Constant(1), z);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V g = nextGradient[0], z = TMath.Sigmoid(gates[Z]), notZ = TMath.Subtract(TMath.Constant(1), z);
        stateGradient[0] = TMath.Multiply(g, notZ);
        gateGradients[Z] = TMath.Multiply(TMath.Multiply(g, TMath.Subtract(gates[C], state[0])), TMath.Multiply(z, notZ));
        gateGradients[C] = TMath.Multiply(g, z);
    }
}
