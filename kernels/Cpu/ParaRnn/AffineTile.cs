using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>A register's channels of one sequence where they lie: pointers to the next step's first channel and distances in elements.</summary>
internal unsafe struct AffineTile<T> where T : unmanaged
{
    public T* Matrices, Offsets, States;

    /// <summary>The state before the next step; null for zeros.</summary>
    public T* Before;

    /// <summary>From one step to the next.</summary>
    public long MatrixStep, StateStep;

    /// <summary>From one row of a matrix to the next, and from one column to the next: a transposed matrix has the two exchanged.</summary>
    public long RowStride, ColumnStride;

    /// <summary>From one component of a state to the next.</summary>
    public long Channels;

    /// <summary>Steps that are left.</summary>
    public int Steps;
}

/// <summary>
/// Affine recurrences step after step, h[t] = A[t] h[t-1] + b[t], the state in registers. Nothing is composed: what step after step stays in the range of T
/// does so here, whatever the channels' number.
/// </summary>
internal static unsafe class AffineRecurrence<TBlock, TSimd, V, T>
    where TBlock : struct, IBlockSize
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    /// <summary>Runs some of the tile's steps and moves it on by them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TAccess>(ref AffineTile<T> tile, TAccess access, int steps) where TAccess : struct, ILaneAccess<V, T>
    {
        int size = TBlock.Size;
        T* a = tile.Matrices, b = tile.Offsets, states = tile.States;
        long row = tile.RowStride, column = tile.ColumnStride, channels = tile.Channels, matrixStep = tile.MatrixStep, stateStep = tile.StateStep;
        V h0 = TSimd.Broadcast(default), h1 = h0, h2 = h0, h3 = h0;
        if (tile.Before != null)
        {
            h0 = access.Load(tile.Before);
            if (size > 1)
                h1 = access.Load(tile.Before + channels);
            if (size > 2)
                h2 = access.Load(tile.Before + 2 * channels);
            if (size > 3)
                h3 = access.Load(tile.Before + 3 * channels);
        }
        for (int step = 0; step < steps; step++)
        {
            V n0 = Row(access, a, column, b, h0, h1, h2, h3), n1 = default, n2 = default, n3 = default;
            access.Store(n0, states);
            if (size > 1)
            {
                n1 = Row(access, a + row, column, b + channels, h0, h1, h2, h3);
                access.Store(n1, states + channels);
            }
            if (size > 2)
            {
                n2 = Row(access, a + 2 * row, column, b + 2 * channels, h0, h1, h2, h3);
                access.Store(n2, states + 2 * channels);
            }
            if (size > 3)
            {
                n3 = Row(access, a + 3 * row, column, b + 3 * channels, h0, h1, h2, h3);
                access.Store(n3, states + 3 * channels);
            }
            (h0, h1, h2, h3) = (n0, n1, n2, n3);
            a += matrixStep;
            b += stateStep;
            states += stateStep;
        }
        tile.Matrices = a;
        tile.Offsets = b;
        tile.States = states;
        tile.Before = states - stateStep;
        tile.Steps -= steps;
    }

    // One component: the offset, then the columns in their order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Row<TAccess>(TAccess access, T* a, long column, T* b, V h0, V h1, V h2, V h3) where TAccess : struct, ILaneAccess<V, T>
    {
        V sum = TSimd.MultiplyAdd(access.Load(a), h0, access.Load(b));
        if (TBlock.Size > 1)
            sum = TSimd.MultiplyAdd(access.Load(a + column), h1, sum);
        if (TBlock.Size > 2)
            sum = TSimd.MultiplyAdd(access.Load(a + 2 * column), h2, sum);
        if (TBlock.Size > 3)
            sum = TSimd.MultiplyAdd(access.Load(a + 3 * column), h3, sum);
        return sum;
    }
}
