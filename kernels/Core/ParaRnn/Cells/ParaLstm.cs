using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// The long short-term memory with diagonal recurrence, coupled input and forget gates and peepholes of ParaRNN (arXiv 2510.21450):
/// f = sigmoid(a_f h + p_f c + x_f), u = tanh(a_u h + x_u), c' = f c + (1 - f) u, o = sigmoid(a_o h + p_o c' + x_o), h' = o tanh(c').
/// The state is (c, h); gate inputs in the order f, o, u; weights in the order a_f, a_o, a_u, p_f, p_o.
/// </summary>
public readonly struct ParaLstm : IDifferentiableRnnCell
{
    private const int F = 0, O = 1, U = 2, PeepholeF = 3, PeepholeO = 4, Memory = 0, Output = 1;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int GateCount => 3;

    /// <inheritdoc/>
    public static int StateCount => 2;

    /// <inheritdoc/>
    public static int WeightCount => 5;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        Gates<V, TMath>(gates, weights, state, out _, out _, out V memory, out V o, out V squashed);
        next[Memory] = memory;
        next[Output] = TMath.Multiply(o, squashed);
    }

    [MethodImpl(Inline)]
    private static void Gates<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, out V f, out V u, out V memory, out V o, out V squashed)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V c = state[Memory], h = state[Output];
        f = TMath.Sigmoid(TMath.MultiplyAdd(weights[F], h, TMath.MultiplyAdd(weights[PeepholeF], c, gates[F])));
        u = TMath.Tanh(TMath.MultiplyAdd(weights[U], h, gates[U]));
        memory = TMath.MultiplyAdd(f, TMath.Subtract(c, u), u);
        o = TMath.Sigmoid(TMath.MultiplyAdd(weights[PeepholeO], memory, TMath.MultiplyAdd(weights[O], h, gates[O])));
        squashed = TMath.Tanh(memory);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StepWithJacobian<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next, RnnRegisters<V> jacobian)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V one = TMath.Constant(1);
        Gates<V, TMath>(gates, weights, state, out V f, out V u, out V memory, out V o, out V squashed);
        next[Memory] = memory;
        next[Output] = TMath.Multiply(o, squashed);
        V slopeF = TMath.Multiply(TMath.Multiply(f, TMath.Subtract(one, f)), TMath.Subtract(state[Memory], u));
        V slopeU = TMath.Multiply(TMath.Subtract(one, f), TMath.Subtract(one, TMath.Multiply(u, u)));
        V slopeO = TMath.Multiply(TMath.Multiply(o, TMath.Subtract(one, o)), squashed);
        V byMemory = TMath.MultiplyAdd(slopeO, weights[PeepholeO], TMath.Multiply(o, TMath.Subtract(one, TMath.Multiply(squashed, squashed))));
        V memoryByMemory = TMath.MultiplyAdd(slopeF, weights[PeepholeF], f);
        V memoryByOutput = TMath.MultiplyAdd(slopeF, weights[F], TMath.Multiply(slopeU, weights[U]));
        jacobian[0] = memoryByMemory;
        jacobian[1] = memoryByOutput;
        jacobian[2] = TMath.Multiply(memoryByMemory, byMemory);
        jacobian[3] = TMath.MultiplyAdd(memoryByOutput, byMemory, TMath.Multiply(slopeO, weights[O]));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Backward<V, TMath>(
        RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> nextGradient,
        RnnRegisters<V> stateGradient, RnnRegisters<V> gateGradients, RnnRegisters<V> weightGradients)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        V one = TMath.Constant(1), c = state[Memory], h = state[Output];
        Gates<V, TMath>(gates, weights, state, out V f, out V u, out V memory, out V o, out V squashed);
        V slopeF = TMath.Multiply(TMath.Multiply(f, TMath.Subtract(one, f)), TMath.Subtract(c, u));
        V slopeU = TMath.Multiply(TMath.Subtract(one, f), TMath.Subtract(one, TMath.Multiply(u, u)));
        V slopeO = TMath.Multiply(TMath.Multiply(o, TMath.Subtract(one, o)), squashed);
        V squashSlope = TMath.Multiply(o, TMath.Subtract(one, TMath.Multiply(squashed, squashed)));
        V go = TMath.Multiply(nextGradient[Output], slopeO);
        V gm = TMath.MultiplyAdd(go, weights[PeepholeO], TMath.MultiplyAdd(nextGradient[Output], squashSlope, nextGradient[Memory]));
        V gf = TMath.Multiply(gm, slopeF), gu = TMath.Multiply(gm, slopeU);
        stateGradient[Memory] = TMath.MultiplyAdd(gf, weights[PeepholeF], TMath.Multiply(gm, f));
        stateGradient[Output] = TMath.MultiplyAdd(gf, weights[F], TMath.MultiplyAdd(gu, weights[U], TMath.Multiply(go, weights[O])));
        gateGradients[F] = gf;
        gateGradients[O] = go;
        gateGradients[U] = gu;
        weightGradients[F] = TMath.MultiplyAdd(gf, h, weightGradients[F]);
        weightGradients[O] = TMath.MultiplyAdd(go, h, weightGradients[O]);
        weightGradients[U] = TMath.MultiplyAdd(gu, h, weightGradients[U]);
        weightGradients[PeepholeF] = TMath.MultiplyAdd(gf, c, weightGradients[PeepholeF]);
        weightGradients[PeepholeO] = TMath.MultiplyAdd(go, memory, weightGradients[PeepholeO]);
    }
}
