using System.Runtime.CompilerServices;
using Kernels.Core.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

/// <summary>The micro-kernels in registers of any width.</summary>
internal readonly unsafe partial struct AttentionKernels<TSimd, V, TDot, I> : IAttentionKernels
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
    where TDot : struct, INibbleDot<I>
    where I : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    public static int SliverWidth
    {
        [MethodImpl(Inline)]
        get => ProductTile<TSimd, V, float>.Columns;
    }

    public static void Multiply(in TileProduct product)
    {
        // Sums of a panel start from zero and are added to those before: shorter chains, smaller errors.
        float* zeros = stackalloc float[SliverWidth];
        var sliver = new SliverProduct<float>
        {
            Left = product.A,
            LeftStride = product.RowStride,
            DepthStride = product.DepthStride,
            RowCount = product.RowCount,
            Depth = product.Depth,
            Start = zeros,
            ResultStride = product.Stride,
            AddsToResult = product.Add,
        };
        for (int i = 0; i < product.SliverCount; i++)
        {
            sliver.Sliver = product.Slivers + (long)i * product.Depth * SliverWidth;
            sliver.Result = product.C + i * SliverWidth;
            ProductTile<TSimd, V, float>.Multiply(sliver);
        }
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
    private static float Floor(int exponent) => (float)((exponent - FloatFormat.SingleExponentBias) * Logarithms.Ln2);

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
        V start = TSimd.Broadcast(origin), floor = TSimd.Broadcast(Floor(exponent)), offset = TSimd.BroadcastBits(OffsetBits(exponent)),
            sum = TSimd.Broadcast(0);
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
    public static void AddToDoubles(float* scores, double* sums)
    {
        for (nuint i = 0; i < AttentionTuning.Tile; i += (nuint)TSimd.Count)
            TSimd.AddToDoubles(ref *sums, i, TSimd.Load(ref *scores, i));
    }

    [MethodImpl(Hot)]
    public static void Cap(float* scores, float cap)
    {
        V bound = TSimd.Broadcast(cap);
        for (nuint i = 0; i < AttentionTuning.Tile; i += (nuint)TSimd.Count)
            TSimd.Store(TSimd.Multiply(bound, HyperbolicTangent<TSimd, V, float>.Evaluate(TSimd.Divide(TSimd.Load(ref *scores, i), bound))), ref *scores, i);
    }
}
