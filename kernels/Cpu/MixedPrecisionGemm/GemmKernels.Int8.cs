using System.Runtime.CompilerServices;

namespace Kernels.Cpu.MixedPrecisionGemm;

// Eight-bit arithmetic: with activations s_a a (a in -127..127) and weights s_w (q - z), a segment adds s_w (s_a (sum a q - z sum a)). The integers in
// parentheses are below 2^24 and so exact in float; the rest is rounded the same way in every tile.
internal readonly unsafe partial struct GemmKernels<V, TSimd, TDot, TFormat>
{
    private static void AddInt8(in GemmSegment segment, in ActivationSegment activations, float* sums)
    {
        if (activations.RowCount == 1)
        {
            for (int column = 0; column < PanelColumns; column += RowColumns)
                AddInt8Row(segment, activations, sums, column);
            return;
        }
        for (int column = 0; column < PanelColumns; column += TileColumns)
        {
            var tile = new Int8Tile(segment, activations, sums, column);
            GemmTiles.Run(ref tile, activations.RowCount, TSimd.TileRows);
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
                if (column == 0)
                    PrefetchStep(weights);
                V a = TSimd.BroadcastLane(activation + step * StepInputs), b = TSimd.BroadcastLane(activation + step * StepInputs + LaneInputs);
                p0 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p0, TFormat.First<V, TSimd>(weights), a), TFormat.Second<V, TSimd>(weights), b);
                p1 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p1, TFormat.First<V, TSimd>(weights + next), a), TFormat.Second<V, TSimd>(weights + next), b);
                p2 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p2, TFormat.First<V, TSimd>(weights + 2 * next), a),
                    TFormat.Second<V, TSimd>(weights + 2 * next), b);
                p3 = TFormat.Add<V, TDot>(TFormat.Add<V, TDot>(p3, TFormat.First<V, TSimd>(weights + 3 * next), a),
                    TFormat.Second<V, TSimd>(weights + 3 * next), b);
                weights += TFormat.StepBytes;
            }
            t0 = TFormat.Flush<V, TDot>(t0, p0);
            t1 = TFormat.Flush<V, TDot>(t1, p1);
            t2 = TFormat.Flush<V, TDot>(t2, p2);
            t3 = TFormat.Flush<V, TDot>(t3, p3);
        }
        V scale = TSimd.BroadcastLane(activations.Scales), sum = TSimd.BroadcastLane(activations.Sums);
        new ColumnFactors(segment, column).Add(t0, scale, sum, sums + column);
        new ColumnFactors(segment, column + TSimd.Lanes).Add(t1, scale, sum, sums + column + TSimd.Lanes);
        new ColumnFactors(segment, column + 2 * TSimd.Lanes).Add(t2, scale, sum, sums + column + 2 * TSimd.Lanes);
        new ColumnFactors(segment, column + 3 * TSimd.Lanes).Add(t3, scale, sum, sums + column + 3 * TSimd.Lanes);
    }

    /// <summary>Two registers of outputs. Integers of a row: partial sums p (of 16 bits where the dot product has no others), totals t of 32 bits.</summary>
    private readonly struct Int8Tile(in GemmSegment segment, in ActivationSegment activations, float* sums, int column) : IGemmTile
    {
        private readonly byte* _weights = segment.Weights + column * LaneInputs;
        private readonly bool _isFirst = column == 0;
        private readonly int _stepCount = segment.StepCount;
        private readonly ActivationSegment _activations = activations;
        private readonly float* _sums = sums + column;
        private readonly ColumnFactors _left = new(segment, column);
        private readonly ColumnFactors _right = new(segment, column + TSimd.Lanes);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Add<TRows>(int row) where TRows : struct, ITileRows
        {
            nint length = _activations.Length;
            var activation = (sbyte*)_activations.Values + row * length;
            byte* weights = _weights;
            bool prefetches = _isFirst && row == 0;
            V t00 = TSimd.Zero, t01 = t00, t10 = t00, t11 = t00, t20 = t00, t21 = t00, t30 = t00, t31 = t00;
            V t40 = t00, t41 = t00, t50 = t00, t51 = t00;
            for (int step = 0; step < _stepCount;)
            {
                int end = Math.Min(_stepCount, step + TFormat.StepsPerFlush<V, TDot>());
                V p00 = TSimd.Zero, p01 = p00, p10 = p00, p11 = p00, p20 = p00, p21 = p00, p30 = p00, p31 = p00;
                V p40 = p00, p41 = p00, p50 = p00, p51 = p00;
                for (; step < end; step++)
                {
                    if (prefetches)
                        PrefetchStep(weights);
                    V w0 = TFormat.First<V, TSimd>(weights), w1 = TFormat.First<V, TSimd>(weights + TSimd.Lanes * LaneInputs);
                    Dot(w0, w1, activation, ref p00, ref p01);
                    if (TRows.Count > 1) Dot(w0, w1, activation + length, ref p10, ref p11);
                    if (TRows.Count > 2) Dot(w0, w1, activation + 2 * length, ref p20, ref p21);
                    if (TRows.Count > 3) Dot(w0, w1, activation + 3 * length, ref p30, ref p31);
                    if (TRows.Count > 4) Dot(w0, w1, activation + 4 * length, ref p40, ref p41);
                    if (TRows.Count > 5) Dot(w0, w1, activation + 5 * length, ref p50, ref p51);
                    activation += LaneInputs;
                    w0 = TFormat.Second<V, TSimd>(weights);
                    w1 = TFormat.Second<V, TSimd>(weights + TSimd.Lanes * LaneInputs);
                    Dot(w0, w1, activation, ref p00, ref p01);
                    if (TRows.Count > 1) Dot(w0, w1, activation + length, ref p10, ref p11);
                    if (TRows.Count > 2) Dot(w0, w1, activation + 2 * length, ref p20, ref p21);
                    if (TRows.Count > 3) Dot(w0, w1, activation + 3 * length, ref p30, ref p31);
                    if (TRows.Count > 4) Dot(w0, w1, activation + 4 * length, ref p40, ref p41);
                    if (TRows.Count > 5) Dot(w0, w1, activation + 5 * length, ref p50, ref p51);
                    activation += LaneInputs;
                    weights += TFormat.StepBytes;
                }
                Flush(ref t00, ref t01, p00, p01);
                if (TRows.Count > 1) Flush(ref t10, ref t11, p10, p11);
                if (TRows.Count > 2) Flush(ref t20, ref t21, p20, p21);
                if (TRows.Count > 3) Flush(ref t30, ref t31, p30, p31);
                if (TRows.Count > 4) Flush(ref t40, ref t41, p40, p41);
                if (TRows.Count > 5) Flush(ref t50, ref t51, p50, p51);
            }
            AddScaled(t00, t01, row);
            if (TRows.Count > 1) AddScaled(t10, t11, row + 1);
            if (TRows.Count > 2) AddScaled(t20, t21, row + 2);
            if (TRows.Count > 3) AddScaled(t30, t31, row + 3);
            if (TRows.Count > 4) AddScaled(t40, t41, row + 4);
            if (TRows.Count > 5) AddScaled(t50, t51, row + 5);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Dot(V left, V right, sbyte* activation, ref V leftSum, ref V rightSum)
        {
            V a = TSimd.BroadcastLane(activation);
            leftSum = TFormat.Add<V, TDot>(leftSum, left, a);
            rightSum = TFormat.Add<V, TDot>(rightSum, right, a);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Flush(ref V leftTotal, ref V rightTotal, V left, V right)
        {
            leftTotal = TFormat.Flush<V, TDot>(leftTotal, left);
            rightTotal = TFormat.Flush<V, TDot>(rightTotal, right);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void AddScaled(V leftTotal, V rightTotal, int row)
        {
            V scale = TSimd.BroadcastLane(_activations.Scales + row), sum = TSimd.BroadcastLane(_activations.Sums + row);
            float* sums = _sums + row * PanelColumns;
            _left.Add(leftTotal, scale, sum, sums);
            _right.Add(rightTotal, scale, sum, sums + TSimd.Lanes);
        }
    }

    /// <summary>Scale and zero of a register of outputs.</summary>
    [method: MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly struct ColumnFactors(in GemmSegment segment, int column)
    {
        private readonly V _scale = segment.LoadScales<V, TSimd>(column);
        private readonly V _minusZero = TSimd.Subtract(TSimd.Zero, segment.LoadZeros<V, TSimd>(column));

        /// <summary>sums += s_w (s_a (sum a q - z sum a)); the first multiply-add is exact, fused or not.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(V totals, V activationScale, V activationSum, float* sums)
        {
            V product = TSimd.MultiplyAdd(_minusZero, activationSum, TSimd.ToSingle(totals));
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Multiply(product, activationScale), _scale, TSimd.Load(sums)), sums);
        }
    }
}
