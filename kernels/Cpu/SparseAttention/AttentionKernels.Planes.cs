using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

// Scores from four-bit planes, tokens in lanes.
internal readonly unsafe partial struct AttentionKernels<TSimd, V, TDot, I>
{
    [SkipLocalsInit]
    public static void ScorePlanes(in PlaneTile tile)
    {
        long bytes = tile.Low == null ? 0 : RentedScratch.Bytes<float>((long)tile.HeadCount * NibbleLayout.SlotsPerBlock);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        float* low = scratch.Take<float>(bytes / sizeof(float));
        for (int block = 0; block < tile.BlockCount; block++)
        {
            float* scores = tile.Scores + block * NibbleLayout.SlotsPerBlock;
            ScorePlane(tile, tile.High[block], tile.Ahead[block], scores, tile.Stride);
            if (tile.Low != null)
                ScorePlane(tile, tile.Low[block], tile.Low[block], low, NibbleLayout.SlotsPerBlock);
            for (int head = 0; head < tile.HeadCount; head++)
                FinishDots(scores + head * tile.Stride, tile.Low == null ? null : low + head * NibbleLayout.SlotsPerBlock, tile.TokenScales[block],
                    tile.Scales[head], tile.Offsets[head]);
        }
    }

    private static void ScorePlane(in PlaneTile tile, byte* block, byte* ahead, float* dots, long stride)
    {
        int codes = tile.StepCount * NibbleLayout.DimensionsPerStep;
        for (int lane = 0; lane < NibbleLayout.SlotsPerBlock; lane += TDot.Lanes)
        {
            int head = 0;
            for (; head + SharedRows <= tile.HeadCount; head += SharedRows)
                ScorePlaneFourHeads(block + lane * NibbleLayout.LaneBytes, ahead, tile.StepCount, tile.Codes + head * codes, dots + head * stride + lane,
                    stride);
            for (; head < tile.HeadCount; head++)
                ScorePlaneOneHead(block + lane * NibbleLayout.LaneBytes, ahead, tile.StepCount, tile.Codes + head * codes, dots + head * stride + lane);
        }
    }

    // Integer sums are exact, so both forms agree.
    [MethodImpl(Hot)]
    private static void ScorePlaneFourHeads(byte* lanes, byte* ahead, int stepCount, sbyte* queries, float* dots, long stride)
    {
        const int stepBytes = NibbleLayout.SlotsPerBlock * NibbleLayout.LaneBytes, step = NibbleLayout.DimensionsPerStep;
        int headStride = stepCount * step;
        sbyte* q0 = queries, q1 = q0 + headStride, q2 = q1 + headStride, q3 = q2 + headStride;
        I t0 = default, t1 = default, t2 = default, t3 = default;
        for (int begin = 0; begin < stepCount; begin += TDot.StepsPerFlush)
        {
            I p0 = default, p1 = default, p2 = default, p3 = default;
            for (int i = begin; i < Math.Min(stepCount, begin + TDot.StepsPerFlush); i++)
            {
                I bytes = TDot.Load(lanes), low = TDot.Low(bytes), high = TDot.High(bytes);
                p0 = TDot.Add(TDot.Add(p0, low, q0), high, q0 + step / 2);
                p1 = TDot.Add(TDot.Add(p1, low, q1), high, q1 + step / 2);
                p2 = TDot.Add(TDot.Add(p2, low, q2), high, q2 + step / 2);
                p3 = TDot.Add(TDot.Add(p3, low, q3), high, q3 + step / 2);
                Prefetch.Read(ahead);
                lanes += stepBytes;
                ahead += stepBytes;
                q0 += step;
                q1 += step;
                q2 += step;
                q3 += step;
            }
            t0 = TDot.Flush(t0, p0);
            t1 = TDot.Flush(t1, p1);
            t2 = TDot.Flush(t2, p2);
            t3 = TDot.Flush(t3, p3);
        }
        TDot.StoreSingle(t0, dots);
        TDot.StoreSingle(t1, dots + stride);
        TDot.StoreSingle(t2, dots + 2 * stride);
        TDot.StoreSingle(t3, dots + 3 * stride);
    }

    [MethodImpl(Hot)]
    private static void ScorePlaneOneHead(byte* lanes, byte* ahead, int stepCount, sbyte* query, float* dots)
    {
        const int stepBytes = NibbleLayout.SlotsPerBlock * NibbleLayout.LaneBytes, step = NibbleLayout.DimensionsPerStep;
        I total = default;
        for (int begin = 0; begin < stepCount; begin += TDot.StepsPerFlush)
        {
            I partial = default;
            for (int i = begin; i < Math.Min(stepCount, begin + TDot.StepsPerFlush); i++)
            {
                I bytes = TDot.Load(lanes);
                partial = TDot.Add(TDot.Add(partial, TDot.Low(bytes), query), TDot.High(bytes), query + step / 2);
                Prefetch.Read(ahead);
                lanes += stepBytes;
                ahead += stepBytes;
                query += step;
            }
            total = TDot.Flush(total, partial);
        }
        TDot.StoreSingle(total, dots);
    }

    [MethodImpl(Hot)]
    private static void FinishDots(float* high, float* low, float* tokenScales, float scale, float offset)
    {
        V byScale = TSimd.Broadcast(scale), add = TSimd.Broadcast(offset), weight = TSimd.Broadcast(1 << NibbleLayout.NibbleBits);
        for (nuint i = 0; i < NibbleLayout.SlotsPerBlock; i += (nuint)TSimd.Count)
        {
            V products = TSimd.MultiplyAdd(weight, TSimd.Load(ref *high, i), low == null ? add : TSimd.Add(add, TSimd.Load(ref *low, i)));
            TSimd.Store(TSimd.Multiply(products, TSimd.Multiply(byScale, TSimd.Load(ref *tokenScales, i))), ref *high, i);
        }
    }
}
