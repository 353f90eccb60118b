using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>The contributions of a block of rows to the gradients, for blocks of <see cref="Int8DecompositionTuning.GradientColumns"/> inputs.</summary>
internal readonly unsafe struct Int8GradientJob<T, TStorage, TSimd, V>(in Int8GradientRows<T> rows, int firstRow, int rowCount, float* gradient, int stride)
    : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    private const int PanelColumns = Int8WeightsLayout.PanelColumns, Columns = Int8DecompositionTuning.GradientColumns;

    private readonly Int8GradientRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly int _rowCount = rowCount;
    private readonly float* _gradient = gradient;
    private readonly int _stride = stride;

    private static int TileRows => ProductTile<TSimd, V, float>.Rows;

    private static int SliverColumns => ProductTile<TSimd, V, float>.Columns;

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
        const int weightCount = PanelColumns * Columns, sumCount = Int8DecompositionTuning.GradientRows * Columns;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(weightCount) + RentedScratch.Bytes<float>(sumCount));
        float* weights = scratch.Take<float>(weightCount), sums = scratch.Take<float>(sumCount);
        new Span<float>(sums, _rowCount * Columns).Clear();
        for (int panel = 0; panel < Layout.PanelCount; panel++)
        {
            DequantizePanel(panel, first, count, weights);
            Add(_gradient + panel * PanelColumns, _stride, 1, _rowCount, weights, PanelColumns, sums);
        }
        for (int row = 0; row < _rowCount; row++)
            TStorage.Narrow(sums + row * Columns, _rows.InputGradient + (long)(_firstRow + row) * Layout.InputCount + first, count);
    }

    // dW[n, k] += sum over m of dy[m, n] x[m, k].
    [SkipLocalsInit]
    private void AddWeightGradient(int first, int count)
    {
        int inputCount = Int8DecompositionTuning.GradientRows * Columns, sumCount = TileRows * Columns;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(inputCount) + RentedScratch.Bytes<float>(sumCount));
        float* inputs = scratch.Take<float>(inputCount), sums = scratch.Take<float>(sumCount);
        new Span<float>(inputs, _rowCount * Columns).Clear();
        for (int row = 0; row < _rowCount; row++)
        {
            T* activations = _rows.Activations + (long)(_firstRow + row) * Layout.InputCount + first;
            for (int input = 0; input < count; input += SliverColumns)
                TStorage.Widen(activations + input, inputs + (input * _rowCount + row * SliverColumns), Math.Min(SliverColumns, count - input));
        }
        for (int output = 0; output < Layout.OutputCount; output += TileRows)
        {
            int outputs = Math.Min(TileRows, Layout.OutputCount - output);
            new Span<float>(sums, outputs * Columns).Clear();
            Add(_gradient + output, 1, _stride, outputs, inputs, _rowCount, sums);
            for (int row = 0; row < outputs; row++)
                AddTo(sums + row * Columns, _rows.WeightGradient + (long)(output + row) * Layout.InputCount + first, count);
        }
    }

    // sums[i, j] += sum over k of left[i leftStride + k depthStride] right[k, j]: right in slivers, [depth, sliver columns] each.
    private static void Add(float* left, nint leftStride, nint depthStride, int rows, float* right, int depth, float* sums)
    {
        for (int column = 0; column < Columns; column += SliverColumns)
        {
            ProductTile<TSimd, V, float>.Multiply(new SliverProduct<float>
            {
                Left = left,
                LeftStride = leftStride,
                DepthStride = depthStride,
                RowCount = rows,
                Depth = depth,
                Sliver = right + column * depth,
                Start = sums + column,
                StartStride = Columns,
                Result = sums + column,
                ResultStride = Columns,
            });
        }
    }

    // Lanes of four inputs into slivers.
    private void DequantizePanel(int panel, int first, int count, float* weights)
    {
        byte* steps = _rows.Weights.Panels + panel * Layout.PanelBytes + (long)(first / Int8WeightsLayout.LaneInputs) * Int8WeightsLayout.StepBytes;
        new Span<float>(weights, PanelColumns * Columns).Clear();
        for (int input = 0; input < count; input += Int8WeightsLayout.LaneInputs, steps += Int8WeightsLayout.StepBytes)
        {
            if (SliverColumns < Int8WeightsLayout.LaneInputs)
                DequantizeElements((sbyte*)steps, panel, input, weights);
            else
                DequantizeLanes((int*)steps, panel, weights + input / SliverColumns * SliverColumns * PanelColumns + input % SliverColumns);
        }
    }

    private void DequantizeLanes(int* step, int panel, float* lanes)
    {
        for (int output = 0; output < PanelColumns; output++)
        {
            Vector128<short> shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(step[output]).AsSByte());
            Vector128<float> lane = Vector128.ConvertToSingle(Vector128.WidenLower(shorts)) * _rows.Weights.Factors[panel * PanelColumns + output];
            lane.Store(lanes + output * SliverColumns);
        }
    }

    // Slivers narrower than a lane: element after element.
    private void DequantizeElements(sbyte* step, int panel, int input, float* weights)
    {
        for (int i = 0; i < Int8WeightsLayout.LaneInputs; i++)
        {
            float* column = weights + (input + i) / SliverColumns * SliverColumns * PanelColumns + (input + i) % SliverColumns;
            for (int output = 0; output < PanelColumns; output++)
                column[output * SliverColumns] = step[output * Int8WeightsLayout.LaneInputs + i] * _rows.Weights.Factors[panel * PanelColumns + output];
        }
    }

    private static void AddTo(float* sums, float* gradient, int count)
    {
        for (int i = 0; i < count; i++)
            gradient[i] += sums[i];
    }
}
