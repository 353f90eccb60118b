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
            for (int row = 0; row < activations.RowCount; row += Int8TileRows)
                AddInt8Tile(segment, activations, sums, row, column);
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

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddInt8Tile(in GemmSegment segment, in ActivationSegment activations, float* sums, int row, int column)
    {
        int rows = Math.Min(Int8TileRows, activations.RowCount - row), length = activations.Length;
        // Rows that are missing repeat the last one; their results are dropped.
        sbyte* a0 = (sbyte*)activations.Values + (long)row * length;
        sbyte* a1 = a0 + (rows > 1 ? length : 0), a2 = a1 + (rows > 2 ? length : 0), a3 = a2 + (rows > 3 ? length : 0);
        byte* weights = segment.Weights + column * LaneInputs;
        int right = TSimd.Lanes * LaneInputs;
        V* totals = stackalloc V[2 * Int8TileRows];
        for (int i = 0; i < 2 * Int8TileRows; i++)
            totals[i] = TSimd.Zero;
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
            totals[0] = TFormat.Flush<V, TDot>(totals[0], p00);
            totals[1] = TFormat.Flush<V, TDot>(totals[1], p01);
            totals[2] = TFormat.Flush<V, TDot>(totals[2], p10);
            totals[3] = TFormat.Flush<V, TDot>(totals[3], p11);
            totals[4] = TFormat.Flush<V, TDot>(totals[4], p20);
            totals[5] = TFormat.Flush<V, TDot>(totals[5], p21);
            totals[6] = TFormat.Flush<V, TDot>(totals[6], p30);
            totals[7] = TFormat.Flush<V, TDot>(totals[7], p31);
        }
        AddScaled(segment, activations, totals, 2, rows, sums, row, column);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddInt8Row(in GemmSegment segment, in ActivationSegment activations, float* sums, int column)
    {
        var activation = (sbyte*)activations.Values;
        byte* weights = segment.Weights + column * LaneInputs;
        int next = TSimd.Lanes * LaneInputs;
        V* totals = stackalloc V[4] { TSimd.Zero, TSimd.Zero, TSimd.Zero, TSimd.Zero };
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
            totals[0] = TFormat.Flush<V, TDot>(totals[0], p0);
            totals[1] = TFormat.Flush<V, TDot>(totals[1], p1);
            totals[2] = TFormat.Flush<V, TDot>(totals[2], p2);
            totals[3] = TFormat.Flush<V, TDot>(totals[3], p3);
        }
        AddScaled(segment, activations, totals, 4, 1, sums, 0, column);
    }

    // sums += s_w (s_a (sum a q - z sum a)) for rows x registers of integer totals.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(
        in GemmSegment segment, in ActivationSegment activations, V* totals, int registers, int rows, float* sums, int row, int column)
    {
        for (int register = 0; register < registers; register++)
        {
            int first = column + register * TSimd.Lanes;
            V scale = segment.LoadScales<V, TSimd>(first), zero = segment.LoadZeros<V, TSimd>(first);
            for (int i = 0; i < rows; i++)
            {
                float* sum = sums + (row + i) * PanelColumns + first;
                V correction = TSimd.Multiply(zero, TSimd.Broadcast(activations.Sums[row + i]));
                V product = TSimd.Subtract(TSimd.ToSingle(totals[i * registers + register]), correction);
                TSimd.Store(TSimd.MultiplyAdd(TSimd.Multiply(product, TSimd.Broadcast(activations.Scales[row + i])), scale, TSimd.Load(sum)), sum);
            }
        }
    }
}
