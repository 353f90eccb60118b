using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Six rows and two registers of columns of a product, in registers.</summary>
internal static unsafe class MatrixTile<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    /// <param name="rows">Six rows of depth terms.</param>
    /// <param name="rowStride">From one of these rows to the next.</param>
    /// <param name="termStride">From one term to the next.</param>
    /// <param name="panel">One row of biases, then [depth, two registers].</param>
    /// <param name="depth">Terms to add.</param>
    /// <param name="result">The tile's first element.</param>
    /// <param name="stride">From one row of the result to the next.</param>
    /// <param name="accumulates">Whether the terms are added to what is there, or to the biases.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* rows, long rowStride, long termStride, T* panel, int depth, T* result, long stride, bool accumulates)
    {
        nuint width = (nuint)TSimd.Count;
        T* r0 = accumulates ? result : panel, r1 = accumulates ? result + stride : panel, r2 = accumulates ? result + 2 * stride : panel;
        T* r3 = accumulates ? result + 3 * stride : panel, r4 = accumulates ? result + 4 * stride : panel, r5 = accumulates ? result + 5 * stride : panel;
        V a0 = TSimd.Load(ref *r0, 0), b0 = TSimd.Load(ref *r0, width), a1 = TSimd.Load(ref *r1, 0), b1 = TSimd.Load(ref *r1, width);
        V a2 = TSimd.Load(ref *r2, 0), b2 = TSimd.Load(ref *r2, width), a3 = TSimd.Load(ref *r3, 0), b3 = TSimd.Load(ref *r3, width);
        V a4 = TSimd.Load(ref *r4, 0), b4 = TSimd.Load(ref *r4, width), a5 = TSimd.Load(ref *r5, 0), b5 = TSimd.Load(ref *r5, width);
        T* rowsFrom3 = rows + 3 * rowStride;
        for (int k = 0; k < depth; k++)
        {
            panel += 2 * width;
            V left = TSimd.Load(ref *panel, 0), right = TSimd.Load(ref *panel, width), row = TSimd.Broadcast(*rows);
            a0 = TSimd.MultiplyAdd(row, left, a0);
            b0 = TSimd.MultiplyAdd(row, right, b0);
            row = TSimd.Broadcast(rows[rowStride]);
            a1 = TSimd.MultiplyAdd(row, left, a1);
            b1 = TSimd.MultiplyAdd(row, right, b1);
            row = TSimd.Broadcast(rows[2 * rowStride]);
            a2 = TSimd.MultiplyAdd(row, left, a2);
            b2 = TSimd.MultiplyAdd(row, right, b2);
            row = TSimd.Broadcast(*rowsFrom3);
            a3 = TSimd.MultiplyAdd(row, left, a3);
            b3 = TSimd.MultiplyAdd(row, right, b3);
            row = TSimd.Broadcast(rowsFrom3[rowStride]);
            a4 = TSimd.MultiplyAdd(row, left, a4);
            b4 = TSimd.MultiplyAdd(row, right, b4);
            row = TSimd.Broadcast(rowsFrom3[2 * rowStride]);
            a5 = TSimd.MultiplyAdd(row, left, a5);
            b5 = TSimd.MultiplyAdd(row, right, b5);
            rows += termStride;
            rowsFrom3 += termStride;
        }
        Store(a0, b0, result);
        Store(a1, b1, result + stride);
        Store(a2, b2, result + 2 * stride);
        Store(a3, b3, result + 3 * stride);
        Store(a4, b4, result + 4 * stride);
        Store(a5, b5, result + 5 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, T* result)
    {
        TSimd.Store(left, ref *result, 0);
        TSimd.Store(right, ref *result, (nuint)TSimd.Count);
    }
}
