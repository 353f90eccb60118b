using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

// Exact arithmetic: within a segment the sum of a (q - z), in the order of the inputs; then sums += s_w times it.
internal readonly unsafe partial struct GemmKernels<V, TSimd, TDot, TFormat>
{
    // Rows of a tile: 12 sums, 2 registers of weights and one of activations fit the 16 of AVX2, and 12 chains cover the latency of FMA on two pipes.
    private const int ExactTileRows = 6;

    [SkipLocalsInit]
    public static void AddExact(in GemmSegment segment, in ActivationSegment activations, float* sums)
    {
        if (activations.RowCount == 1)
        {
            for (int column = 0; column < PanelColumns; column += RowColumns)
                AddExactRow(segment, (float*)activations.Values, sums, column);
            return;
        }
        const int alignment = QuantizedWeightsLayout.Alignment;
        byte* unaligned = stackalloc byte[2 * QuantizedWeightsLayout.LargestSegment * sizeof(V) + alignment];
        var weights = (V*)(((nint)unaligned + alignment - 1) & -alignment);
        for (int column = 0; column < PanelColumns; column += TileColumns)
        {
            Dequantize(segment, weights, column);
            V scale0 = segment.LoadScales<V, TSimd>(column), scale1 = segment.LoadScales<V, TSimd>(column + TSimd.Lanes);
            for (int row = 0; row < activations.RowCount; row += ExactTileRows)
                AddExactTile(weights, segment.StepCount * StepInputs, activations, row, scale0, scale1, sums + row * PanelColumns + column);
        }
    }

    // weights[input][2] = q - z, unscaled: 16 KiB of AVX-512 registers for a whole segment, which stay in level 1.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dequantize(in GemmSegment segment, V* weights, int column)
    {
        V zero0 = segment.LoadZeros<V, TSimd>(column), zero1 = segment.LoadZeros<V, TSimd>(column + TSimd.Lanes);
        byte* source = segment.Weights + column * LaneInputs;
        int right = TSimd.Lanes * LaneInputs;
        for (int step = 0; step < segment.StepCount; step++)
        {
            DequantizeLane(TFormat.First<V, TSimd>(source), zero0, weights);
            DequantizeLane(TFormat.First<V, TSimd>(source + right), zero1, weights + 1);
            DequantizeLane(TFormat.Second<V, TSimd>(source), zero0, weights + 2 * LaneInputs);
            DequantizeLane(TFormat.Second<V, TSimd>(source + right), zero1, weights + 2 * LaneInputs + 1);
            source += TFormat.StepBytes;
            weights += 2 * StepInputs;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DequantizeLane(V bytes, V zero, V* weights)
    {
        weights[0] = TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 0), zero);
        weights[2] = TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 1), zero);
        weights[4] = TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 2), zero);
        weights[6] = TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 3), zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddExactTile(V* weights, int inputs, in ActivationSegment activations, int row, V scale0, V scale1, float* sums)
    {
        int rows = Math.Min(ExactTileRows, activations.RowCount - row), length = activations.Length;
        // Rows that are missing repeat the last one; their results are dropped.
        float* a0 = (float*)activations.Values + (long)row * length;
        float* a1 = a0 + (rows > 1 ? length : 0), a2 = a1 + (rows > 2 ? length : 0), a3 = a2 + (rows > 3 ? length : 0);
        float* a4 = a3 + (rows > 4 ? length : 0), a5 = a4 + (rows > 5 ? length : 0);
        V s00 = TSimd.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
        for (int input = 0; input < inputs; input++)
        {
            V w0 = weights[0], w1 = weights[1];
            V a = TSimd.BroadcastLane(a0 + input);
            s00 = TSimd.MultiplyAdd(a, w0, s00);
            s01 = TSimd.MultiplyAdd(a, w1, s01);
            a = TSimd.BroadcastLane(a1 + input);
            s10 = TSimd.MultiplyAdd(a, w0, s10);
            s11 = TSimd.MultiplyAdd(a, w1, s11);
            a = TSimd.BroadcastLane(a2 + input);
            s20 = TSimd.MultiplyAdd(a, w0, s20);
            s21 = TSimd.MultiplyAdd(a, w1, s21);
            a = TSimd.BroadcastLane(a3 + input);
            s30 = TSimd.MultiplyAdd(a, w0, s30);
            s31 = TSimd.MultiplyAdd(a, w1, s31);
            a = TSimd.BroadcastLane(a4 + input);
            s40 = TSimd.MultiplyAdd(a, w0, s40);
            s41 = TSimd.MultiplyAdd(a, w1, s41);
            a = TSimd.BroadcastLane(a5 + input);
            s50 = TSimd.MultiplyAdd(a, w0, s50);
            s51 = TSimd.MultiplyAdd(a, w1, s51);
            weights += 2;
        }
        AddScaled(s00, s01, scale0, scale1, sums);
        if (rows > 1)
            AddScaled(s10, s11, scale0, scale1, sums + PanelColumns);
        if (rows > 2)
            AddScaled(s20, s21, scale0, scale1, sums + 2 * PanelColumns);
        if (rows > 3)
            AddScaled(s30, s31, scale0, scale1, sums + 3 * PanelColumns);
        if (rows > 4)
            AddScaled(s40, s41, scale0, scale1, sums + 4 * PanelColumns);
        if (rows > 5)
            AddScaled(s50, s51, scale0, scale1, sums + 5 * PanelColumns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(V left, V right, V leftScale, V rightScale, float* sums)
    {
        AddScaled(left, leftScale, sums);
        AddScaled(right, rightScale, sums + TSimd.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(V value, V scale, float* sums) => TSimd.Store(TSimd.MultiplyAdd(value, scale, TSimd.Load(sums)), sums);

    // One row reads the packed weights straight: there is nothing to share a dequantised copy with.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddExactRow(in GemmSegment segment, float* activations, float* sums, int column)
    {
        int lanes = TSimd.Lanes, next = lanes * LaneInputs;
        V zero0 = segment.LoadZeros<V, TSimd>(column), zero1 = segment.LoadZeros<V, TSimd>(column + lanes);
        V zero2 = segment.LoadZeros<V, TSimd>(column + 2 * lanes), zero3 = segment.LoadZeros<V, TSimd>(column + 3 * lanes);
        V s0 = TSimd.Zero, s1 = s0, s2 = s0, s3 = s0;
        byte* weights = segment.Weights + column * LaneInputs;
        for (int step = 0; step < segment.StepCount; step++)
        {
            s0 = AddLane(TFormat.First<V, TSimd>(weights), zero0, activations, s0);
            s1 = AddLane(TFormat.First<V, TSimd>(weights + next), zero1, activations, s1);
            s2 = AddLane(TFormat.First<V, TSimd>(weights + 2 * next), zero2, activations, s2);
            s3 = AddLane(TFormat.First<V, TSimd>(weights + 3 * next), zero3, activations, s3);
            activations += LaneInputs;
            s0 = AddLane(TFormat.Second<V, TSimd>(weights), zero0, activations, s0);
            s1 = AddLane(TFormat.Second<V, TSimd>(weights + next), zero1, activations, s1);
            s2 = AddLane(TFormat.Second<V, TSimd>(weights + 2 * next), zero2, activations, s2);
            s3 = AddLane(TFormat.Second<V, TSimd>(weights + 3 * next), zero3, activations, s3);
            activations += LaneInputs;
            weights += TFormat.StepBytes;
        }
        AddScaled(s0, segment.LoadScales<V, TSimd>(column), sums + column);
        AddScaled(s1, segment.LoadScales<V, TSimd>(column + lanes), sums + column + lanes);
        AddScaled(s2, segment.LoadScales<V, TSimd>(column + 2 * lanes), sums + column + 2 * lanes);
        AddScaled(s3, segment.LoadScales<V, TSimd>(column + 3 * lanes), sums + column + 3 * lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V AddLane(V bytes, V zero, float* activations, V sum)
    {
        sum = TSimd.MultiplyAdd(TSimd.BroadcastLane(activations), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 0), zero), sum);
        sum = TSimd.MultiplyAdd(TSimd.BroadcastLane(activations + 1), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 1), zero), sum);
        sum = TSimd.MultiplyAdd(TSimd.BroadcastLane(activations + 2), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 2), zero), sum);
        return TSimd.MultiplyAdd(TSimd.BroadcastLane(activations + 3), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 3), zero), sum);
    }
}
