using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>A few registers of lanes over some steps, backwards. Distances in elements, as in <see cref="RnnTile{T}"/>.</summary>
internal unsafe struct RnnGradientTile<T> where T : unmanaged
{
    public RnnTile<T> Forward;

    /// <summary>The loss's gradient by the states, and the gradient by the gates to be written, with the distances of states and gates.</summary>
    public T* StateGradients, GateGradients;

    /// <summary>
    /// The gradient by the state after the last step, through what followed it; becomes that by the state before the first. [components, lanes].
    /// </summary>
    public T* Carry;

    /// <summary>Room for one row of states, [components, lanes], and the sums of the gradients by the weights, [weights, lanes].</summary>
    public T* Total, WeightGradients;

    /// <summary>
    /// The sums of all windows' gradients by the weights, for the tile's first channel; those of different weights are a channel count apart.
    /// </summary>
    public double* WeightSums;

    /// <summary>The tile's channels; those before the fresh one are also another tile's, which adds up their weights.</summary>
    public int Channel, ChannelCount, FreshChannel;

    /// <summary>Lanes of the scratch arrays: those of the forward tile, a whole number of registers. Here registers share none.</summary>
    public int ScratchLanes;

    /// <summary>The lanes of registers that share none.</summary>
    public readonly int WholeLanes(int registerLanes) => Forward.Lanes / registerLanes * registerLanes;
}

/// <summary>
/// The gradient of a recurrence: g[t] = dL/dh[t] + J[t+1]^T g[t+1], the transposed recurrence backwards in time, with the derivative of each step computed anew
/// from its state. From step to step only a product with the Jacobian waits; the transcendental functions of all steps are independent and overlap.
/// </summary>
internal static unsafe class RnnGradientKernels<TCell, TSimd, V, T>
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private static RnnRegisters<V> Registers(T* first, long stride) => RnnKernels<TCell, TSimd, V, T>.Registers(first, stride);

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in RnnGradientTile<T> tile)
    {
        RnnTile<T> forward = tile.Forward;
        int lanes = forward.Lanes, last = lanes - TSimd.Count;
        for (int step = forward.Steps - 1; step >= 0; step--)
        {
            T* gates = forward.Gates + step * forward.GateStep, gateGradients = tile.GateGradients + step * forward.GateStep;
            T* gradients = tile.StateGradients + step * forward.StateStep;
            T* before = step == 0 ? forward.Start : forward.States + (step - 1) * forward.StateStep;
            long beforeStride = step == 0 ? forward.StartStride : forward.StateStride;
            for (int register = 0; register < lanes; register += TSimd.Count)
            {
                int lane = Math.Min(register, last);
                RnnRegisters<V> carry = Registers(tile.Carry + register, tile.ScratchLanes), total = Registers(tile.Total + register, tile.ScratchLanes);
                RnnRegisters<V> gradient = Registers(gradients + lane, forward.StateStride);
                for (int i = 0; i < TCell.StateCount; i++)
                    total[i] = TSimd.Add(gradient[i], carry[i]);
                TCell.Backward<V, RnnArithmetic<TSimd, V, T>>(
                    Registers(gates + lane, forward.GateStride), Registers(forward.Weights + lane, forward.WeightStride),
                    Registers(before + lane, beforeStride),
                    total, carry, Registers(gateGradients + lane, forward.GateStride), Registers(tile.WeightGradients + register, tile.ScratchLanes));
            }
        }
    }
}
