using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// A few registers of lanes, side by side, over some steps: pointers to the first lane and distances in elements. The lanes are channels where they lie in the
/// caller's arrays, or any mix of channels and segments where they were copied to scratch.
/// </summary>
internal unsafe struct RnnTile<T> where T : unmanaged
{
    public T* Gates, Weights, Start, States;

    /// <summary>From one component to the next.</summary>
    public long GateStride, WeightStride, StartStride, StateStride;

    /// <summary>From one step to the next.</summary>
    public long GateStep, StateStep;
    public int Steps;

    /// <summary>
    /// All lanes, at least one register. Where they are no whole number of registers, the last one shares lanes with the one before it: both compute the same
    /// bits.
    /// </summary>
    public int Lanes;
}

/// <summary>The recurrence in registers: the one loop that all exact solvers run, and why they agree in every bit.</summary>
internal static unsafe class RnnKernels<TCell, TSimd, V, T>
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RnnRegisters<V> Registers(T* first, long stride) => new(ref *(byte*)first, (nint)stride * sizeof(T));

    /// <summary>Step after step. States are read back from where they were written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in RnnTile<T> tile)
    {
        T* gates = tile.Gates, weights = tile.Weights, previous = tile.Start, next = tile.States;
        long previousStride = tile.StartStride, gateStride = tile.GateStride, weightStride = tile.WeightStride, stateStride = tile.StateStride;
        int lanes = tile.Lanes, last = lanes - TSimd.Count;
        for (int step = 0; step < tile.Steps; step++)
        {
            for (int register = 0; register < lanes; register += TSimd.Count)
            {
                int lane = Math.Min(register, last);
                TCell.Step<V, RnnArithmetic<TSimd, V, T>>(
                    Registers(gates + lane, gateStride), Registers(weights + lane, weightStride),
                    Registers(previous + lane, previousStride), Registers(next + lane, stateStride));
            }
            previous = next;
            previousStride = stateStride;
            next += tile.StateStep;
            gates += tile.GateStep;
        }
    }
}
