using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu;

/// <summary>The micro-kernels in registers of any width.</summary>
internal readonly unsafe partial struct AttentionKernels<TSimd, V, TDot, I> : IAttentionKernels
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
    where TDot : struct, IPlaneDot<I>
    where I : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    // 12 sums, 2 registers of a sliver and one element fit the 16 registers of AVX2, and 12 chains cover the latency of multiply-adds on two pipes. The 32 registers of AVX-512
    // hold the 16 sums of 8 rows, which divide a tile, and take fewer loads for a sum.
    private const int FewRows = 6, MostRows = 8, TileRegisters = 2;

    private static int TileRows
    {
        [MethodImpl(Inline)]
        get => typeof(V) == typeof(Vector512<float>) ? MostRows : FewRows;
    }

    private const double Ln2 = 0.69314718055994531;

    public static int SliverWidth
    {
        [MethodImpl(Inline)]
        get => TileRegisters * TSimd.Count;
    }

    public static void Multiply(in TileProduct product)
    {
        // A sliver stays in level 1 while all rows pass it.
        for (int sliver = 0; sliver < product.SliverCount; sliver++)
        {
            float* b = product.Slivers + (long)sliver * product.Depth * SliverWidth, c = product.C + sliver * SliverWidth;
            for (int row = 0; row < product.RowCount; row += TileRows)
                MultiplyRows(product, product.A + (long)row * product.RowStride, Math.Min(TileRows, product.RowCount - row), b, c + (long)row * product.Stride);
        }
    }

    [MethodImpl(Hot)]
    private static void MultiplyRows(in TileProduct product, float* a0, int rows, float* b, float* c)
    {
        nint stride = product.RowStride, step = product.DepthStride, end = product.Depth * step;
        // Rows that are missing repeat the last one; their results are dropped.
        float* a1 = a0 + (rows > 1 ? stride : 0), a2 = a1 + (rows > 2 ? stride : 0), a3 = a2 + (rows > 3 ? stride : 0);
        float* a4 = a3 + (rows > 4 ? stride : 0), a5 = a4 + (rows > 5 ? stride : 0), a6 = a5 + (rows > 6 ? stride : 0), a7 = a6 + (rows > 7 ? stride : 0);
        V s00 = TSimd.Broadcast(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        V s40 = s00, s41 = s00, s50 = s00, s51 = s00, s60 = s00, s61 = s00, s70 = s00, s71 = s00;
        nuint width = (nuint)TSimd.Count;
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
            if (TileRows == MostRows)
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
        Put(product, s00, s01, c);
        if (rows > 1)
            Put(product, s10, s11, c + product.Stride);
        if (rows > 2)
            Put(product, s20, s21, c + 2 * product.Stride);
        if (rows > 3)
            Put(product, s30, s31, c + 3 * product.Stride);
        if (rows > 4)
            Put(product, s40, s41, c + 4 * product.Stride);
        if (rows > 5)
            Put(product, s50, s51, c + 5 * product.Stride);
        if (rows > 6)
            Put(product, s60, s61, c + 6 * product.Stride);
        if (rows > 7)
            Put(product, s70, s71, c + 7 * product.Stride);
    }

    [MethodImpl(Inline)]
    private static void Put(in TileProduct product, V left, V right, float* c)
    {
        nuint width = (nuint)TSimd.Count;
        if (product.Add)
        {
            left = TSimd.Add(TSimd.Load(ref *c, 0), left);
            right = TSimd.Add(TSimd.Load(ref *c, width), right);
        }
        TSimd.Store(left, ref *c, 0);
        TSimd.Store(right, ref *c, width);
    }

    [MethodImpl(Hot)]
    public static int AddTerms(float* logits, long stride, AttentionRow* rows, int first, int count)
    {
        nuint width = (nuint)TSimd.Count;
        for (int row = first; row < count; row++)
        {
            float* x = logits + row * stride;
            V largest = TSimd.Broadcast(rows[row].Limit);
            for (nuint i = 0; i < AttentionTuning.Tile; i += width)
                largest = TSimd.MaxKeepingSecond(TSimd.Load(ref *x, i), largest);
            if (TSimd.MaxAcross(largest) > rows[row].Limit)
                return row;
            int exponent = rows[row].Scaling;
            V floor = TSimd.Broadcast(Floor(exponent)), offset = TSimd.BroadcastBits(OffsetBits(exponent)), sum = TSimd.Broadcast(0);
            for (nuint i = 0; i < AttentionTuning.Tile; i += width)
            {
                V m = ExtendedExponential<TSimd, V, float>.Evaluate(TSimd.MaxKeepingSecond(floor, TSimd.Load(ref *x, i)), out V z);
                V term = TSimd.Multiply(m, TSimd.ExponentOf(z, offset));
                TSimd.Store(term, ref *x, i);
                sum = TSimd.Add(sum, term);
            }
            rows[row].Sum += Sum(sum);
        }
        return count;
    }

    // Below the floor n is such that the exponent field of the power is 0, that is, the power itself.
    [MethodImpl(Inline)]
    private static float Floor(int exponent) => (float)((exponent - FloatFormat.SingleExponentBias) * Ln2);

    // What turns n into the exponent field of 2^(n - exponent).
    [MethodImpl(Inline)]
    private static long OffsetBits(int exponent) => (long)(FloatFormat.SingleExponentBias - exponent) << FloatFormat.SingleFractionBits;

    [MethodImpl(Hot)]
    public static float Max(float* scores)
    {
        nuint width = (nuint)TSimd.Count;
        V max = TSimd.Load(ref *scores, 0);
        for (nuint i = width; i < AttentionTuning.Tile; i += width)
            max = TSimd.MaxKeepingSecond(max, TSimd.Load(ref *scores, i));
        return TSimd.MaxAcross(max);
    }

    [MethodImpl(Hot)]
    public static float Exponentiate(float* scores, float origin, int exponent)
    {
        nuint width = (nuint)TSimd.Count;
        V start = TSimd.Broadcast(origin), floor = TSimd.Broadcast(Floor(exponent)), offset = TSimd.BroadcastBits(OffsetBits(exponent)), sum = TSimd.Broadcast(0);
        for (nuint i = 0; i < AttentionTuning.Tile; i += width)
        {
            V x = TSimd.MaxKeepingSecond(floor, TSimd.Subtract(TSimd.Load(ref *scores, i), start));
            V m = ExtendedExponential<TSimd, V, float>.Evaluate(x, out V z);
            V term = TSimd.Multiply(m, TSimd.ExponentOf(z, offset));
            TSimd.Store(term, ref *scores, i);
            sum = TSimd.Add(sum, term);
        }
        return Sum(sum);
    }

    [MethodImpl(Hot)]
    public static void CopyScaled(float* x, float* destination, long count, float factor)
    {
        V by = TSimd.Broadcast(factor);
        long i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
            TSimd.Store(TSimd.Multiply(by, TSimd.Load(ref *x, (nuint)i)), ref *destination, (nuint)i);
        for (; i < count; i++)
            destination[i] = factor * x[i];
    }

    [MethodImpl(Hot)]
    public static void AddScaled(float* x, float* sums, long count, float factor)
    {
        V by = TSimd.Broadcast(factor);
        long i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
            TSimd.Store(TSimd.MultiplyAdd(by, TSimd.Load(ref *x, (nuint)i), TSimd.Load(ref *sums, (nuint)i)), ref *sums, (nuint)i);
        for (; i < count; i++)
            sums[i] = MathF.FusedMultiplyAdd(factor, x[i], sums[i]);
    }

    [MethodImpl(Hot)]
    public static void Cap(float* scores, float cap)
    {
        V bound = TSimd.Broadcast(cap);
        for (nuint i = 0; i < AttentionTuning.Tile; i += (nuint)TSimd.Count)
            TSimd.Store(TSimd.Multiply(bound, HyperbolicTangent<TSimd, V, float>.Evaluate(TSimd.Divide(TSimd.Load(ref *scores, i), bound))), ref *scores, i);
    }
}
