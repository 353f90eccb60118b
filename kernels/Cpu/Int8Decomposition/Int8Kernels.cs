using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Int8Decomposition;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>The integer micro-kernels of one instruction set: what the driver knows of them.</summary>
internal unsafe interface IInt8Kernels
{
    /// <inheritdoc cref="IInt8Dot{V}.ActivationBytes"/>
    static abstract int ActivationBytes { get; }

    /// <inheritdoc cref="IInt8Dot{V}.ActivationShift"/>
    static abstract int ActivationShift { get; }

    /// <summary>Brings activations of a row into the form that <see cref="Add"/> reads.</summary>
    /// <param name="values">From a first input of a step on.</param>
    /// <param name="packed">The row's place in that step.</param>
    /// <param name="stepBytes">From a step to the next.</param>
    /// <param name="count">The number of inputs; the last step is filled up with zeros.</param>
    static abstract void Pack(sbyte* values, byte* packed, nint stepBytes, int count);

    /// <summary>Makes one packed activation zero.</summary>
    /// <param name="step">The row's place in the input's step.</param>
    /// <param name="inStep">The input within the step.</param>
    static abstract void Clear(byte* step, int inStep);

    /// <summary>sums[row][32] += products of some steps of a panel with packed activations.</summary>
    /// <param name="weights">The first step.</param>
    /// <param name="activations">The same step of the first tile of rows.</param>
    /// <param name="stepBytes">From a step of a tile to the next.</param>
    /// <param name="tileBytes">From a tile to the next.</param>
    /// <param name="rowCount">The number of rows; sums have room for whole tiles.</param>
    /// <param name="stepCount">The number of steps.</param>
    /// <param name="sums">Rows of <see cref="Int8WeightsLayout.PanelColumns"/>.</param>
    static abstract void Add(byte* weights, byte* activations, nint stepBytes, nint tileBytes, int rowCount, int stepCount, int* sums);
}

/// <summary>
/// Tiles of registers: 6 rows x 2 registers of outputs, 2 x 4 and 1 x 4. The first needs 12 totals, 2 registers of weights and 1 of activations, so 15 of the
/// 16 of AVX2, and serves 12 dot products with 8 loads; 12 chains hide the latency of vpdpbusd (4 or 5 cycles at two a cycle). The others are for what is left
/// of the rows, and for small batches, which stream the weights.
/// </summary>
internal readonly unsafe struct Int8Kernels<V, TDot> : IInt8Kernels
    where V : unmanaged
    where TDot : struct, IInt8Dot<V>
{
    private const int TileRows = Int8DecompositionTuning.TileRows, PanelColumns = Int8WeightsLayout.PanelColumns, StepBytes = Int8WeightsLayout.StepBytes,
        LaneInputs = Int8WeightsLayout.LaneInputs;

    public static int ActivationBytes => TDot.ActivationBytes;

    public static int ActivationShift => TDot.ActivationShift;

    public static void Pack(sbyte* values, byte* packed, nint stepBytes, int count)
    {
        for (; count >= LaneInputs; count -= LaneInputs, values += LaneInputs, packed += stepBytes)
            TDot.StoreActivations(*(int*)values, packed);
        if (count == 0)
            return;
        int rest = 0;
        new ReadOnlySpan<byte>(values, count).CopyTo(new Span<byte>(&rest, LaneInputs));
        TDot.StoreActivations(rest, packed);
    }

    public static void Clear(byte* step, int inStep)
    {
        byte* activation = step + inStep * TDot.ActivationBytes;
        if (TDot.ActivationBytes == sizeof(byte))
            *activation = (byte)TDot.ActivationShift;
        else
            *(short*)activation = (short)TDot.ActivationShift;
    }

    public static void Add(byte* weights, byte* activations, nint stepBytes, nint tileBytes, int rowCount, int stepCount, int* sums)
    {
        // Five rows take a tile of six, whose last row is dropped.
        int tiled = (rowCount + 1) / TileRows * TileRows, row = 0;
        for (; row < tiled; row += TileRows, activations += tileBytes)
        {
            for (int column = 0; column < PanelColumns; column += 2 * TDot.Columns)
                AddSixRows(weights + column * LaneInputs, activations, stepCount, sums + row * PanelColumns + column);
        }
        for (; row < rowCount; row += 2, activations += 2 * RowBytes)
        {
            for (int column = 0; column < PanelColumns; column += 4 * TDot.Columns)
            {
                byte* lanes = weights + column * LaneInputs;
                if (row + 1 < rowCount)
                    AddTwoRows(lanes, activations, stepBytes, stepCount, sums + row * PanelColumns + column);
                else
                    AddRow(lanes, activations, stepBytes, stepCount, sums + row * PanelColumns + column);
            }
        }
    }

    // The block after this one into level 2: at small batch weights come from memory, in an order that hardware does not foresee.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* weights)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(weights + Int8DecompositionTuning.BlockSteps * StepBytes);
    }

    private static int LaneBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TDot.Columns * LaneInputs;
    }

    // A row's part of a step.
    private static int RowBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TDot.ActivationBytes * LaneInputs;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSixRows(byte* weights, byte* activations, int stepCount, int* sums)
    {
        byte* end = weights + (long)stepCount * StepBytes;
        V t00 = TDot.Zero, t01 = t00, t10 = t00, t11 = t00, t20 = t00, t21 = t00, t30 = t00, t31 = t00, t40 = t00, t41 = t00, t50 = t00, t51 = t00;
        for (; weights < end; weights += StepBytes)
        {
            Prefetch(weights);
            V w0 = TDot.LoadWeights(weights), w1 = TDot.LoadWeights(weights + LaneBytes);
            V a = TDot.LoadActivations(activations);
            t00 = TDot.Add(t00, w0, a);
            t01 = TDot.Add(t01, w1, a);
            a = TDot.LoadActivations(activations + RowBytes);
            t10 = TDot.Add(t10, w0, a);
            t11 = TDot.Add(t11, w1, a);
            a = TDot.LoadActivations(activations + 2 * RowBytes);
            t20 = TDot.Add(t20, w0, a);
            t21 = TDot.Add(t21, w1, a);
            a = TDot.LoadActivations(activations + 3 * RowBytes);
            t30 = TDot.Add(t30, w0, a);
            t31 = TDot.Add(t31, w1, a);
            a = TDot.LoadActivations(activations + 4 * RowBytes);
            t40 = TDot.Add(t40, w0, a);
            t41 = TDot.Add(t41, w1, a);
            a = TDot.LoadActivations(activations + 5 * RowBytes);
            t50 = TDot.Add(t50, w0, a);
            t51 = TDot.Add(t51, w1, a);
            activations += TileRows * RowBytes;
        }
        TDot.AddTo(t00, sums);
        TDot.AddTo(t01, sums + TDot.Columns);
        TDot.AddTo(t10, sums + PanelColumns);
        TDot.AddTo(t11, sums + PanelColumns + TDot.Columns);
        TDot.AddTo(t20, sums + 2 * PanelColumns);
        TDot.AddTo(t21, sums + 2 * PanelColumns + TDot.Columns);
        TDot.AddTo(t30, sums + 3 * PanelColumns);
        TDot.AddTo(t31, sums + 3 * PanelColumns + TDot.Columns);
        TDot.AddTo(t40, sums + 4 * PanelColumns);
        TDot.AddTo(t41, sums + 4 * PanelColumns + TDot.Columns);
        TDot.AddTo(t50, sums + 5 * PanelColumns);
        TDot.AddTo(t51, sums + 5 * PanelColumns + TDot.Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTwoRows(byte* weights, byte* activations, nint stepBytes, int stepCount, int* sums)
    {
        byte* end = weights + (long)stepCount * StepBytes;
        V t00 = TDot.Zero, t01 = t00, t02 = t00, t03 = t00, t10 = t00, t11 = t00, t12 = t00, t13 = t00;
        for (; weights < end; weights += StepBytes)
        {
            Prefetch(weights);
            Prefetch(weights + 2 * LaneBytes);
            V a = TDot.LoadActivations(activations), b = TDot.LoadActivations(activations + RowBytes);
            V w = TDot.LoadWeights(weights);
            t00 = TDot.Add(t00, w, a);
            t10 = TDot.Add(t10, w, b);
            w = TDot.LoadWeights(weights + LaneBytes);
            t01 = TDot.Add(t01, w, a);
            t11 = TDot.Add(t11, w, b);
            w = TDot.LoadWeights(weights + 2 * LaneBytes);
            t02 = TDot.Add(t02, w, a);
            t12 = TDot.Add(t12, w, b);
            w = TDot.LoadWeights(weights + 3 * LaneBytes);
            t03 = TDot.Add(t03, w, a);
            t13 = TDot.Add(t13, w, b);
            activations += stepBytes;
        }
        TDot.AddTo(t00, sums);
        TDot.AddTo(t01, sums + TDot.Columns);
        TDot.AddTo(t02, sums + 2 * TDot.Columns);
        TDot.AddTo(t03, sums + 3 * TDot.Columns);
        TDot.AddTo(t10, sums + PanelColumns);
        TDot.AddTo(t11, sums + PanelColumns + TDot.Columns);
        TDot.AddTo(t12, sums + PanelColumns + 2 * TDot.Columns);
        TDot.AddTo(t13, sums + PanelColumns + 3 * TDot.Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(byte* weights, byte* activations, nint stepBytes, int stepCount, int* sums)
    {
        byte* end = weights + (long)stepCount * StepBytes;
        V t0 = TDot.Zero, t1 = t0, t2 = t0, t3 = t0;
        for (; weights < end; weights += StepBytes)
        {
            Prefetch(weights);
            Prefetch(weights + 2 * LaneBytes);
            V a = TDot.LoadActivations(activations);
            t0 = TDot.Add(t0, TDot.LoadWeights(weights), a);
            t1 = TDot.Add(t1, TDot.LoadWeights(weights + LaneBytes), a);
            t2 = TDot.Add(t2, TDot.LoadWeights(weights + 2 * LaneBytes), a);
            t3 = TDot.Add(t3, TDot.LoadWeights(weights + 3 * LaneBytes), a);
            activations += stepBytes;
        }
        TDot.AddTo(t0, sums);
        TDot.AddTo(t1, sums + TDot.Columns);
        TDot.AddTo(t2, sums + 2 * TDot.Columns);
        TDot.AddTo(t3, sums + 3 * TDot.Columns);
    }
}
