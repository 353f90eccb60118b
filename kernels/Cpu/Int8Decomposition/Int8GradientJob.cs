using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu;

/// <summary>The contributions of a block of rows to the gradients, for blocks of <see cref="Int8DecompositionTuning.GradientColumns"/> inputs.</summary>
internal readonly unsafe struct Int8GradientJob<T, TStorage>(in Int8GradientRows<T> rows, int firstRow, int rowCount, float* gradient, int stride) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int TileRows = Int8DecompositionTuning.TileRows, PanelColumns = Int8WeightsLayout.PanelColumns, Columns = Int8DecompositionTuning.GradientColumns;

    private readonly Int8GradientRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly int _rowCount = rowCount;
    private readonly float* _gradient = gradient;
    private readonly int _stride = stride;

    private Int8WeightsLayout Layout => _rows.Weights.Layout;

    public void Run(long begin, long end)
    {
        for (long block = begin; block < end; block++)
        {
            int first = (int)block * Columns, count = Math.Min(Columns, Layout.InputCount - first);
            if (_rows.InputGradient != null)
                SetInputGradient(first, count);
            if (_rows.WeightGradient != null)
                AddWeightGradient(first, count);
        }
    }

    // dx[m, k] = sum over n of dy[m, n] W[n, k], panel after panel.
    [SkipLocalsInit]
    private void SetInputGradient(int first, int count)
    {
        float* weights = stackalloc float[PanelColumns * Columns], sums = stackalloc float[Int8DecompositionTuning.GradientRows * Columns];
        new Span<float>(sums, Int8ActivationBlock.TileCount(_rowCount) * TileRows * Columns).Clear();
        for (int panel = 0; panel < Layout.PanelCount; panel++)
        {
            DequantizePanel(panel, first, count, weights);
            for (int row = 0; row < _rowCount; row += TileRows)
                GradientTile.Add(_gradient + (long)row * _stride + panel * PanelColumns, _stride, 1, weights, PanelColumns, sums + row * Columns);
        }
        for (int row = 0; row < _rowCount; row++)
            TStorage.Narrow(sums + row * Columns, _rows.InputGradient + (long)(_firstRow + row) * Layout.InputCount + first, count);
    }

    // dW[n, k] += sum over m of dy[m, n] x[m, k].
    [SkipLocalsInit]
    private void AddWeightGradient(int first, int count)
    {
        float* inputs = stackalloc float[Int8DecompositionTuning.GradientRows * Columns], sums = stackalloc float[TileRows * Columns];
        for (int row = 0; row < _rowCount; row++)
        {
            TStorage.Widen(_rows.Activations + (long)(_firstRow + row) * Layout.InputCount + first, inputs + row * Columns, count);
            new Span<float>(inputs + row * Columns + count, Columns - count).Clear();
        }
        for (int output = 0; output < Layout.OutputCount; output += TileRows)
        {
            // Whole tiles are readable: outputs are padded to panels, and the last tile is moved up where it would reach beyond them.
            int start = Math.Min(output, _stride - TileRows);
            new Span<float>(sums, TileRows * Columns).Clear();
            GradientTile.Add(_gradient + start, 1, _stride, inputs, _rowCount, sums);
            for (int row = output - start; row < TileRows && start + row < Layout.OutputCount; row++)
                AddTo(sums + row * Columns, _rows.WeightGradient + (long)(start + row) * Layout.InputCount + first, count);
        }
    }

    private void DequantizePanel(int panel, int first, int count, float* weights)
    {
        byte* steps = _rows.Weights.Panels + panel * Layout.PanelBytes + (long)(first / Int8WeightsLayout.LaneInputs) * Int8WeightsLayout.StepBytes;
        new Span<float>(weights, PanelColumns * Columns).Clear();
        for (int input = 0; input < count; input += Int8WeightsLayout.LaneInputs, steps += Int8WeightsLayout.StepBytes)
        {
            for (int output = 0; output < PanelColumns; output++)
            {
                Vector128<short> shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(((int*)steps)[output]).AsSByte());
                Vector128<float> lane = Vector128.ConvertToSingle(Vector128.WidenLower(shorts)) * _rows.Weights.Factors[panel * PanelColumns + output];
                lane.Store(weights + output * Columns + input);
            }
        }
    }

    private static void AddTo(float* sums, float* gradient, int count)
    {
        for (int i = 0; i < count; i++)
            gradient[i] += sums[i];
    }
}

/// <summary>Sums of outer products in float: six rows and <see cref="Int8DecompositionTuning.GradientColumns"/> columns.</summary>
internal static unsafe class GradientTile
{
    private const int Columns = Int8DecompositionTuning.GradientColumns;

    /// <summary>sums[r][c] += sum over i of left[r rowStride + i stepStride] right[i][c].</summary>
    public static void Add(float* left, nint rowStride, nint stepStride, float* right, int stepCount, float* sums)
    {
        for (int column = 0; column < Columns; column += 2 * Vector256<float>.Count)
            AddColumns(left, rowStride, stepStride, right + column, stepCount, sums + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddColumns(float* left, nint rowStride, nint stepStride, float* right, int stepCount, float* sums)
    {
        int next = Vector256<float>.Count;
        Vector256<float> s00 = Vector256.Load(sums), s01 = Vector256.Load(sums + next);
        Vector256<float> s10 = Vector256.Load(sums + Columns), s11 = Vector256.Load(sums + Columns + next);
        Vector256<float> s20 = Vector256.Load(sums + 2 * Columns), s21 = Vector256.Load(sums + 2 * Columns + next);
        Vector256<float> s30 = Vector256.Load(sums + 3 * Columns), s31 = Vector256.Load(sums + 3 * Columns + next);
        Vector256<float> s40 = Vector256.Load(sums + 4 * Columns), s41 = Vector256.Load(sums + 4 * Columns + next);
        Vector256<float> s50 = Vector256.Load(sums + 5 * Columns), s51 = Vector256.Load(sums + 5 * Columns + next);
        float* lower = left + 3 * rowStride;
        for (int step = 0; step < stepCount; step++)
        {
            Vector256<float> r0 = Vector256.Load(right), r1 = Vector256.Load(right + next), l = Vector256.Create(*left);
            s00 = Vector256.MultiplyAddEstimate(l, r0, s00);
            s01 = Vector256.MultiplyAddEstimate(l, r1, s01);
            l = Vector256.Create(left[rowStride]);
            s10 = Vector256.MultiplyAddEstimate(l, r0, s10);
            s11 = Vector256.MultiplyAddEstimate(l, r1, s11);
            l = Vector256.Create(left[2 * rowStride]);
            s20 = Vector256.MultiplyAddEstimate(l, r0, s20);
            s21 = Vector256.MultiplyAddEstimate(l, r1, s21);
            l = Vector256.Create(*lower);
            s30 = Vector256.MultiplyAddEstimate(l, r0, s30);
            s31 = Vector256.MultiplyAddEstimate(l, r1, s31);
            l = Vector256.Create(lower[rowStride]);
            s40 = Vector256.MultiplyAddEstimate(l, r0, s40);
            s41 = Vector256.MultiplyAddEstimate(l, r1, s41);
            l = Vector256.Create(lower[2 * rowStride]);
            s50 = Vector256.MultiplyAddEstimate(l, r0, s50);
            s51 = Vector256.MultiplyAddEstimate(l, r1, s51);
            left += stepStride;
            lower += stepStride;
            right += Columns;
        }
        Store(s00, s01, sums);
        Store(s10, s11, sums + Columns);
        Store(s20, s21, sums + 2 * Columns);
        Store(s30, s31, sums + 3 * Columns);
        Store(s40, s41, sums + 4 * Columns);
        Store(s50, s51, sums + 5 * Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> first, Vector256<float> second, float* sums)
    {
        first.Store(sums);
        second.Store(sums + Vector256<float>.Count);
    }
}
