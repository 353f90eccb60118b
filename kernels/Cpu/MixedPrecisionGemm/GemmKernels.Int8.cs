using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>The kernels for one register width, one dot product and one weight format. A tile is some rows times two registers of outputs.</summary>
/// <remarks>
/// Eight-bit arithmetic: with activations s_a a (a in -127..127) and weights s_w (q - z), a segment adds s_w (s_a (sum a q - z sum a)). The integers in
/// parentheses are below 2^24 and so exact in float; the rest is rounded the same way in every tile.
/// </remarks>
internal readonly unsafe partial struct GemmKernels<V, TSimd, TDot, TFormat> : IGemmKernels
    where V : unmanaged
    where TSimd : struct, IGemmSimd<V>
    where TDot : struct, IGemmDot<V>
    where TFormat : struct, IWeightFormat
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns, StepInputs = QuantizedWeightsLayout.StepInputs, LaneInputs = QuantizedWeightsLayout.LaneInputs;

    // Rows of a tile of eight-bit arithmetic: 8 partial sums, 4 registers of weights and 2 of activations and products fit the 16 of AVX2.
    private const int Int8TileRows = 4;

    public static void AddInt8(in GemmSegment segment, in ActivationSegment activations, float* sums)
    {
        if (activations.RowCount == 1)
        {
            for (int column = 0; column < PanelColumns; column += RowColumns)
                AddInt8Row(segment, activations, sums, column);
            return;
        }
        for (int column = 0; column < PanelColumns; column += TileColumns)
        {
            var left = new ColumnFactors(segment, column);
            var right = new ColumnFactors(segment, column + TSimd.Lanes);
            for (int row = 0; row < activations.RowCount; row += Int8TileRows)
                AddInt8Tile(segment, activations, left, right, sums + row * PanelColumns + column, row, column);
        }
    }

    private static int TileColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TSimd.Lanes;
    }

    // A single row has more outputs side by side instead: their chains of additions overlap.
    private static int RowColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * TSimd.Lanes;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddInt8Tile(
        in GemmSegment segment, in ActivationSegment activations, in ColumnFactors leftFactors, in ColumnFactors rightFactors, float* sums, int row, int column)
    {
        int rows = Math.Min(Int8TileRows, activations.RowCount - row), length = activations.Length;
        // Rows that are missing repeat the last one; their results are dropped.
        sbyte* a0 = (sbyte*)activations.Values + (long)row * length;
        sbyte* a1 = a0 + (rows > 1 ? length : 0), a2 = a1 + (rows > 2 ? length : 0), a3 = a2 + (rows > 3 ? length : 0);
        byte* weights = segment.Weights + column * LaneInputs;
        int right = TSimd.Lanes * LaneInputs;
        V t00 = TSimd.Zero, t01 = t00, t10 = t00, t11 = t00, t20 = t00, t21 = t00, t30 = t00, t31 = t00;
        for (int step = 0; step < segment.StepCount;)
        {
            int end = Math.Min(segment.StepCount, step + TFormat.StepsPerFlush<V, TDot>());
            V p00 = TSimd.Zero, p01 = p00, p10 = p00, p11 = p00, p20 = p00, p21 = p00, p30 = p00, p31 = p00;
            for (; step < end; step++)
            {
                V w0 = TFormat.First<V, TSimd>(weights), w1 = TFormat.First<V, TSimd>(weights + right);
                int input = step * StepInputs;
                V a = TSimd.BroadcastLane(a0 + input);
                p00 = TFormat.Add<V, TDot>(p00, w0, a);
                p01 = TFormat.Add<V, TDot>(p01, w1, a);
                a = TSimd.BroadcastLane(a1 + input);
                p10 = TFormat.Add<V, TDot>(p10, w0, a);
                p11 = TFormat.Add<V, TDot>(p11, w1, a);
                a = TSimd.BroadcastLane(a2 + input);
                p20 = TFormat.Add<V, TDot>(p20, w0, a);
                p21 = TFormat.Add<V, TDot>(p21, w1, a);
                a = TSimd.BroadcastLane(a3 + input);
                p30 = TFormat.Add<V, TDot>(p30, w0, a);
                p31 = TFormat.Add<V, TDot>(p31, w1, a);
                w0 = TFormat.Second<V, TSimd>(weights);
                w1 = TFormat.Second<V, TSimd>(weights + right);
                input += LaneInputs;
                a = TSimd.BroadcastLane(a0 + input);
                p00 = TFormat.Add<V, TDot>(p00, w0, a);
                p01 = TFormat.Add<V, TDot>(p01, w1, a);
                a = TSimd.BroadcastLane(a1 + input);
                p10 = TFormat.Add<V, TDot>(p10, w0, a);
                p11 = TFormat.Add<V, TDot>(p11, w1, a);
                a = TSimd.BroadcastLane(a2 + input);
                p20 = TFormat.Add<V, TDot>(p20, w0, a);
                p21 = TFormat.Add<V, TDot>(p21, w1, a);
                a = TSimd.BroadcastLane(a3 + input);
                p30 = TFormat.Add<V, TDot>(p30, w0, a);
                p31 = TFormat.Add<V, TDot>(p31, w1, a);
                weights += TFormat.StepBytes;
            }
            t00 = TFormat.Flush<V, TDot>(t00, p00);
            t01 = TFormat.Flush<V, TDot>(t01, p01);
            t10 = TFormat.Flush<V, TDot>(t10, p10);
            t11 = TFormat.Flush<V, TDot>(t11, p11);
            t20 = TFormat.Flush<V, TDot>(t20, p20);
            t21 = TFormat.Flush<V, TDot>(t21, p21);
            t30 = TFormat.Flush<V, TDot>(t30, p30);
            t31 = TFormat.Flush<V, TDot>(t31, p31);
        }
        float* scales = activations.Scales + row, rowSums = activations.Sums + row;
        leftFactors.Add(t00, scales[0], rowSums[0], sums);
        rightFactors.Add(t01, scales[0], rowSums[0], sums + TSimd.Lanes);
        if (rows > 1)
        {
            leftFactors.Add(t10, scales[1], rowSums[1], sums + PanelColumns);
            rightFactors.Add(t11, scales[1], rowSums[1], sums + PanelColumns + TSimd.Lanes);
        }
        if (rows > 2)
        {
            leftFactors.Add(t20, scales[2], rowSums[2], sums + 2 * PanelColumns);
            rightFactors.Add(t21, scales[2], rowSums[2], sums + 2 * PanelColumns + TSimd.Lanes);
        }
        if (rows > 3)
        {
            leftFactors.Add(t30, scales[3], rowSums[3], sums + 3 * PanelColumns);
            rightFactors.Add(t31, scales[3], rowSums[3], sums + 3 * PanelColumns + TSimd.Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddInt8Row(in GemmSegment segment, in ActivationSegment activations, float* sums, int column)
    {
        var activation = (sbyte*)activations.Values;
        byte* weights = segment.Weights + column * LaneInputs;
        int next = TSimd.Lanes * LaneInputs;
        V t0 = TSimd.Zero, t1 = t0, t2 = t0, t3 = t0;
        for (int step = 0; step < segment.StepCount;)
        {
            int end = Math.Min(segment.StepCount, step + TFormat.StepsPerFlush<V, TDot>());
            V p0 = TSimd.Zero, p1 = p0, p2 = p0, p3 = p0;
            for (; step < end; step++)
            {
                V a = TSimd.BroadcastLane(activation + step * StepInputs), b = TSimd.BroadcastLane(activation + step * StepInputs + LaneInputs);
                p0 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p0, TFormat.First<V, TSimd>(weights), a), TFormat.Second<V, TSimd>(weights), b);
                p1 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p1, TFormat.First<V, TSimd>(weights + next), a), TFormat.Second<V, TSimd>(weights + next), b);
                p2 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p2, TFormat.First<V, TSimd>(weights + 2 * next), a), TFormat.Second<V, TSimd>(weights + 2 * next), b);
                p3 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p3, TFormat.First<V, TSimd>(weights + 3 * next), a), TFormat.Second<V, TSimd>(weights + 3 * next), b);
                weights += TFormat.StepBytes;
            }
            t0 = TFormat.Flush<V, TDot>(t0, p0);
            t1 = TFormat.Flush<V, TDot>(t1, p1);
            t2 = TFormat.Flush<V, TDot>(t2, p2);
            t3 = TFormat.Flush<V, TDot>(t3, p3);
        }
        AddScaled(segment, t0, column, activations, sums);
        AddScaled(segment, t1, column + TSimd.Lanes, activations, sums);
        AddScaled(segment, t2, column + 2 * TSimd.Lanes, activations, sums);
        AddScaled(segment, t3, column + 3 * TSimd.Lanes, activations, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(in GemmSegment segment, V totals, int column, in ActivationSegment activations, float* sums) =>
        new ColumnFactors(segment, column).Add(totals, activations.Scales[0], activations.Sums[0], sums + column);

    /// <summary>Scale and zero of a register of outputs.</summary>
    [method: MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly struct ColumnFactors(in GemmSegment segment, int column)
    {
        private readonly V _scale = segment.LoadScales<V, TSimd>(column);
        private readonly V _zero = segment.LoadZeros<V, TSimd>(column);

        /// <summary>sums += s_w (s_a (sum a q - z sum a)).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(V totals, float activationScale, float activationSum, float* sums)
        {
            V product = TSimd.Subtract(TSimd.ToSingle(totals), TSimd.Multiply(_zero, TSimd.Broadcast(activationSum)));
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Multiply(product, TSimd.Broadcast(activationScale)), _scale, TSimd.Load(sums)), sums);
        }
    }
}
