using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>The plain recurrent unit with diagonal recurrence: h' = tanh(a h + x). One gate input x, one weight a.</summary>
public readonly struct DiagonalElman : IDifferentiableRnnCell
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int GateCount => 1;

    /// <inheritdoc/>
    public static int StateCount => 1;

    /// <inheritdoc/>
    public static int WeightCount => 1;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V> =>
        next[0] = TMath.Tanh(TMath.MultiplyAdd(weights[0], state[0], gates[0]));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V h = TMath.Tanh(TMath.MultiplyAdd(weights[0], state[0], gates[0]));
        next[0] = h;
        jacobian[0] = TMath.Multiply(weights[0], TMath.Subtract(TMath.Constant(1), TMath.Multiply(h, h)));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V before = state[0], h = TMath.Tanh(TMath.MultiplyAdd(weights[0], before, gates[0]));
        V slope = TMath.Subtract(TMath.Constant(1), TMath.Multiply(h, h));
        V gradient = TMath.Multiply(nextGradient[0], slope);
        stateGradient[0] = TMath.Multiply(nextGradient[0], TMath.Multiply(slope, weights[0]));
        gateGradients[0] = gradient;
        weightGradients[0] = TMath.MultiplyAdd(gradient, before, weightGradients[0]);
    }
}
