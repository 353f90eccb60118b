using System.Runtime.CompilerServices;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

// Exact arithmetic: within a segment the sum of a (q - z), in the order of the inputs; then sums += s_w times it.
internal readonly unsafe partial struct GemmKernels<V, TSimd, TDot, TFormat>
{
    [SkipLocalsInit]
    private static void AddExact(in GemmSegment segment, in ActivationSegment activations, float* sums)
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
            var tile = new ExactTile(weights, segment, activations, sums, column);
            GemmTiles.Run(ref tile, activations.RowCount, TSimd.TileRows);
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
            if (column == 0)
                PrefetchStep(source);
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

    /// <summary>Two registers of outputs, from the dequantised copy.</summary>
    private readonly struct ExactTile(V* weights, in GemmSegment segment, in ActivationSegment activations, float* sums, int column) : IGemmTile
    {
        private readonly V* _weights = weights;
        private readonly V* _end = weights + 2 * StepInputs * segment.StepCount;
        private readonly float* _activations = (float*)activations.Values;
        private readonly nint _length = activations.Length;
        private readonly float* _sums = sums + column;
        private readonly V _leftScale = segment.LoadScales<V, TSimd>(column);
        private readonly V _rightScale = segment.LoadScales<V, TSimd>(column + TSimd.Lanes);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Add<TRows>(int row) where TRows : struct, ITileRows
        {
            nint length = _length;
            float* activation = _activations + row * length;
            V* end = _end;
            V s00 = TSimd.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
            V s40 = s00, s41 = s00, s50 = s00, s51 = s00;
            for (V* weights = _weights; weights < end; weights += 2)
            {
                V w0 = weights[0], w1 = weights[1];
                MultiplyAdd(w0, w1, activation, ref s00, ref s01);
                if (TRows.Count > 1) MultiplyAdd(w0, w1, activation + length, ref s10, ref s11);
                if (TRows.Count > 2) MultiplyAdd(w0, w1, activation + 2 * length, ref s20, ref s21);
                if (TRows.Count > 3) MultiplyAdd(w0, w1, activation + 3 * length, ref s30, ref s31);
                if (TRows.Count > 4) MultiplyAdd(w0, w1, activation + 4 * length, ref s40, ref s41);
                if (TRows.Count > 5) MultiplyAdd(w0, w1, activation + 5 * length, ref s50, ref s51);
                activation++;
            }
            float* sums = _sums + row * PanelColumns;
            AddScaled(s00, s01, sums);
            if (TRows.Count > 1) AddScaled(s10, s11, sums + PanelColumns);
            if (TRows.Count > 2) AddScaled(s20, s21, sums + 2 * PanelColumns);
            if (TRows.Count > 3) AddScaled(s30, s31, sums + 3 * PanelColumns);
            if (TRows.Count > 4) AddScaled(s40, s41, sums + 4 * PanelColumns);
            if (TRows.Count > 5) AddScaled(s50, s51, sums + 5 * PanelColumns);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void MultiplyAdd(V left, V right, float* activation, ref V leftSum, ref V rightSum)
        {
            V a = TSimd.BroadcastLane(activation);
            leftSum = TSimd.MultiplyAdd(a, left, leftSum);
            rightSum = TSimd.MultiplyAdd(a, right, rightSum);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void AddScaled(V left, V right, float* sums)
        {
            GemmKernels<V, TSimd, TDot, TFormat>.AddScaled(left, _leftScale, sums);
            GemmKernels<V, TSimd, TDot, TFormat>.AddScaled(right, _rightScale, sums + TSimd.Lanes);
        }
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
            if (column == 0)
                PrefetchStep(weights);
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
