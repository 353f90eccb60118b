using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>The sums themselves.</summary>
internal readonly unsafe struct Int8IntegerOutput(in Int8ProductRows rows, int firstRow) : IInt8Output
{
    private readonly Int8ProductRows _rows = rows;
    private readonly int _firstRow = firstRow;

    public void Write(int panel, int firstRow, int rowCount, int* sums)
    {
        int outputCount = _rows.Weights.Layout.OutputCount, firstOutput = panel * Int8WeightsLayout.PanelColumns;
        int columns = Math.Min(Int8WeightsLayout.PanelColumns, outputCount - firstOutput);
        int* products = _rows.Products + (long)(_firstRow + firstRow) * outputCount + firstOutput;
        for (int row = 0; row < rowCount; row++)
            new ReadOnlySpan<int>(sums + row * Int8WeightsLayout.PanelColumns, columns).CopyTo(new Span<int>(products + (long)row * outputCount, columns));
    }
}

/// <summary>
/// output = (sum s_a / 127 + f) s_w / 127 + bias, where f is the outliers' product with the integer weights, in float: so 1 / 127^2 is nowhere a constant of
/// limited precision, and the outliers are multiplied with the very weights, q s_w / 127, that the integers stand for.
/// </summary>
internal readonly unsafe struct Int8FloatOutput<T, TStorage>(in Int8DecompositionRows<T> rows, int firstRow, in Int8ActivationBlock block) : IInt8Output
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int PanelColumns = Int8WeightsLayout.PanelColumns, TileRows = Int8DecompositionTuning.TileRows;

    private readonly Int8DecompositionRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly Int8ActivationBlock _block = block;

    [SkipLocalsInit]
    public void Write(int panel, int firstRow, int rowCount, int* sums)
    {
        float* outliers = stackalloc float[TileRows * PanelColumns], bias = stackalloc float[PanelColumns];
        int firstOutput = panel * PanelColumns, columns = Math.Min(PanelColumns, _rows.Weights.Layout.OutputCount - firstOutput);
        new Span<float>(bias, PanelColumns).Clear();
        if (_rows.Bias != null)
            new ReadOnlySpan<float>(_rows.Bias + firstOutput, columns).CopyTo(new Span<float>(bias, columns));
        for (int row = 0; row < rowCount; row += TileRows)
        {
            int tile = (firstRow + row) / TileRows, count = _block.OutlierCount(tile);
            if (count == 0)
                new Span<float>(outliers, TileRows * PanelColumns).Clear();
            else
                Int8OutlierProduct.Compute(_rows.Weights.Panels + panel * _rows.Weights.Layout.PanelBytes, _block.OutlierColumns(tile), _block.Outliers(tile),
                    count, outliers);
            for (int i = 0; i < Math.Min(TileRows, rowCount - row); i++)
                WriteRow(firstRow + row + i, firstOutput, columns, sums + (row + i) * PanelColumns, outliers + i * PanelColumns, bias);
        }
    }

    [SkipLocalsInit]
    private void WriteRow(int row, int firstOutput, int columns, int* sums, float* outliers, float* bias)
    {
        float* results = stackalloc float[PanelColumns];
        Dequantization.Row(sums, _block.Scale(row), outliers, _rows.Weights.Factors + firstOutput, bias, results);
        TStorage.Narrow(results, _rows.Output + (long)(_firstRow + row) * _rows.Weights.Layout.OutputCount + firstOutput, columns);
    }
}

/// <summary>Integer sums of one row and one panel to floats.</summary>
internal static unsafe class Dequantization
{
    /// <summary>results = (sums rowFactor + outliers) columnFactors + bias, over <see cref="Int8WeightsLayout.PanelColumns"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(int* sums, float rowFactor, float* outliers, float* columnFactors, float* bias, float* results)
    {
        Vector256<float> factor = Vector256.Create(rowFactor);
        for (int column = 0; column < Int8WeightsLayout.PanelColumns; column += Vector256<float>.Count)
        {
            Vector256<float> row = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.Load(sums + column)), factor,
                Vector256.Load(outliers + column));
            Vector256.MultiplyAddEstimate(row, Vector256.Load(columnFactors + column), Vector256.Load(bias + column)).Store(results + column);
        }
    }
}
