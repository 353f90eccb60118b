using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.Simd;

/// <summary>
/// Some rows of A times one sliver of B, the columns of two registers: C[i, j] = S[i, j] + sum over k of A[i, k] B[k, j], or that added to C[i, j]. Each
/// element is one chain of multiply-adds in the order of k: no cut of rows or columns shows in a bit, nor one of depth where the chain starts from C.
/// </summary>
internal unsafe struct SliverProduct<T> where T : unmanaged
{
    /// <summary>A[i, k] = Left[i LeftStride + k DepthStride].</summary>
    public T* Left;
    public nint LeftStride, DepthStride;
    public int RowCount, Depth;

    /// <summary>B, [<see cref="Depth"/>, two registers].</summary>
    public T* Sliver;

    /// <summary>S, from which the sums start: C itself to add to it, or a row for all rows with a stride of 0.</summary>
    public T* Start;
    public nint StartStride;

    /// <summary>C, row i at Result + i ResultStride.</summary>
    public T* Result;
    public nint ResultStride;

    /// <summary>Whether finished sums are added to what C holds, instead of replacing it.</summary>
    public bool AddsToResult;
}

/// <summary>Dense products in registers: the tile that all of them are made of.</summary>
internal static unsafe class ProductTile<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // 12 sums, 2 registers of the sliver and one element fit the 16 registers of AVX2, and 12 chains cover the latency of multiply-adds on two pipes. The 32
    // registers of AVX-512 hold the 16 sums of 8 rows, with fewer loads for a sum.
    private const int FewRows = 6, MostRows = 8, Registers = 2;

    /// <summary>Rows of a full tile.</summary>
    public static int Rows
    {
        [MethodImpl(Inline)]
        get => Unsafe.SizeOf<V>() == Unsafe.SizeOf<Vector512<byte>>() ? MostRows : FewRows;
    }

    /// <summary>Columns of a sliver.</summary>
    public static int Columns
    {
        [MethodImpl(Inline)]
        get => Registers * TSimd.Count;
    }

    /// <summary>Computes all rows, tile after tile, while the sliver stays in level 1.</summary>
    public static void Multiply(in SliverProduct<T> product)
    {
        for (int row = 0; row < product.RowCount; row += Rows)
            MultiplyRows(product, row, Math.Min(Rows, product.RowCount - row));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRows(in SliverProduct<T> product, int row, int rows)
    {
        nint stride = product.LeftStride, step = product.DepthStride, end = product.Depth * step, from = product.StartStride;
        nuint width = (nuint)TSimd.Count;
        // Rows that are missing repeat the last one; their sums are dropped.
        T* a0 = product.Left + row * stride, a1 = a0 + (rows > 1 ? stride : 0), a2 = a1 + (rows > 2 ? stride : 0), a3 = a2 + (rows > 3 ? stride : 0);
        T* a4 = a3 + (rows > 4 ? stride : 0), a5 = a4 + (rows > 5 ? stride : 0), a6 = a5 + (rows > 6 ? stride : 0), a7 = a6 + (rows > 7 ? stride : 0);
        T* s = product.Start + row * from, b = product.Sliver;
        V s00 = TSimd.Load(ref *s, 0), s01 = TSimd.Load(ref *s, width);
        s += rows > 1 ? from : 0;
        V s10 = TSimd.Load(ref *s, 0), s11 = TSimd.Load(ref *s, width);
        s += rows > 2 ? from : 0;
        V s20 = TSimd.Load(ref *s, 0), s21 = TSimd.Load(ref *s, width);
        s += rows > 3 ? from : 0;
        V s30 = TSimd.Load(ref *s, 0), s31 = TSimd.Load(ref *s, width);
        s += rows > 4 ? from : 0;
        V s40 = TSimd.Load(ref *s, 0), s41 = TSimd.Load(ref *s, width);
        s += rows > 5 ? from : 0;
        V s50 = TSimd.Load(ref *s, 0), s51 = TSimd.Load(ref *s, width), s60 = s50, s61 = s51, s70 = s50, s71 = s51;
        if (Rows == MostRows)
        {
            s += rows > 6 ? from : 0;
            s60 = TSimd.Load(ref *s, 0);
            s61 = TSimd.Load(ref *s, width);
            s += rows > 7 ? from : 0;
            s70 = TSimd.Load(ref *s, 0);
            s71 = TSimd.Load(ref *s, width);
        }
        T* c = product.Result + row * product.ResultStride;
        // The next tile's: beyond level 2 a line takes a tenth of a tile's time to come.
        for (int i = Rows; i < 2 * Rows; i++)
        {
            Prefetch.Read(c + i * product.ResultStride);
            Prefetch.Read(c + i * product.ResultStride + 2 * width - 1);
        }
        for (nint k = 0; k != end; k += step)
        {
            V b0 = TSimd.Load(ref *b, 0), b1 = TSimd.Load(ref *b, width);
            V a = TSimd.Broadcast(a0[k]);
            s00 = TSimd.MultiplyAdd(a, b0, s00);
            s01 = TSimd.MultiplyAdd(a, b1, s01);
            a = TSimd.Broadcast(a1[k]);
            s10 = TSimd.MultiplyAdd(a, b0, s10);
            s11 = TSimd.MultiplyAdd(a, b1, s11);
            a = TSimd.Broadcast(a2[k]);
            s20 = TSimd.MultiplyAdd(a, b0, s20);
            s21 = TSimd.MultiplyAdd(a, b1, s21);
            a = TSimd.Broadcast(a3[k]);
            s30 = TSimd.MultiplyAdd(a, b0, s30);
            s31 = TSimd.MultiplyAdd(a, b1, s31);
            a = TSimd.Broadcast(a4[k]);
            s40 = TSimd.MultiplyAdd(a, b0, s40);
            s41 = TSimd.MultiplyAdd(a, b1, s41);
            a = TSimd.Broadcast(a5[k]);
            s50 = TSimd.MultiplyAdd(a, b0, s50);
            s51 = TSimd.MultiplyAdd(a, b1, s51);
            if (Rows == MostRows)
            {
                a = TSimd.Broadcast(a6[k]);
                s60 = TSimd.MultiplyAdd(a, b0, s60);
                s61 = TSimd.MultiplyAdd(a, b1, s61);
                a = TSimd.Broadcast(a7[k]);
                s70 = TSimd.MultiplyAdd(a, b0, s70);
                s71 = TSimd.MultiplyAdd(a, b1, s71);
            }
            b += 2 * width;
        }
        Store(product, s00, s01, c);
        if (rows > 1)
            Store(product, s10, s11, c + product.ResultStride);
        if (rows > 2)
            Store(product, s20, s21, c + 2 * product.ResultStride);
        if (rows > 3)
            Store(product, s30, s31, c + 3 * product.ResultStride);
        if (rows > 4)
            Store(product, s40, s41, c + 4 * product.ResultStride);
        if (rows > 5)
            Store(product, s50, s51, c + 5 * product.ResultStride);
        if (rows > 6)
            Store(product, s60, s61, c + 6 * product.ResultStride);
        if (rows > 7)
            Store(product, s70, s71, c + 7 * product.ResultStride);
    }

    [MethodImpl(Inline)]
    private static void Store(in SliverProduct<T> product, V left, V right, T* c)
    {
        nuint width = (nuint)TSimd.Count;
        if (product.AddsToResult)
        {
            left = TSimd.Add(TSimd.Load(ref *c, 0), left);
            right = TSimd.Add(TSimd.Load(ref *c, width), right);
        }
        TSimd.Store(left, ref *c, 0);
        TSimd.Store(right, ref *c, width);
    }
}
