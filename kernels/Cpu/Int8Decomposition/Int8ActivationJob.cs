using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// Brings tiles of rows into an <see cref="Int8ActivationBlock"/>: largest magnitudes and outlier columns in one pass, values in a second, and the outliers
/// gathered.
/// </summary>
internal readonly unsafe struct Int8ActivationJob<T, TStorage, TKernels>(in Int8DecompositionRows<T> rows, int firstRow, int rowCount,
    in Int8ActivationBlock block) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IInt8Kernels
{
    private const int TileRows = Int8DecompositionTuning.TileRows;

    private readonly Int8DecompositionRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly int _rowCount = rowCount;
    private readonly Int8ActivationBlock _block = block;

    private int InputCount => _rows.Weights.Layout.InputCount;

    private bool IsUnited => _rows.Outliers == OutlierScope.BatchColumns;

    public void Run(long begin, long end)
    {
        for (int tile = (int)begin; tile < end; tile++)
        {
            byte* flags = IsUnited ? _block.United : _block.Flags(tile);
            if (!IsUnited)
                new Span<byte>(flags, InputCount).Clear();
            int first = tile * TileRows, last = Math.Min(first + TileRows, _rowCount);
            for (int row = first; row < last; row++)
                Quantize(row, IsUnited ? null : flags);
            ref int count = ref _block.OutlierCount(tile);
            count = List(flags, _block.OutlierColumns(tile));
            for (int row = first; count > 0 && row < first + TileRows; row++)
                Gather(tile, row, row < last ? count : 0);
        }
    }

    private T* Source(int row) => _rows.Activations + (long)(_firstRow + row) * InputCount;

    private void Quantize(int row, byte* flags)
    {
        float absMax = StoredRow<T, TStorage>.AbsMax(Source(row), InputCount, _rows.Limit, flags);
        StoredRow<T, TStorage>.Pack<TKernels>(Source(row), InputCount, _rows.Limit, absMax, _block.Values(row), _block.StepBytes);
        _block.Scale(row) = absMax / AbsMaxRule.LargestValue;
    }

    private int List(byte* flags, int* columns)
    {
        int count = 0, column = 0;
        while (new ReadOnlySpan<byte>(flags + column, InputCount - column).IndexOfAnyExcept((byte)0) is var next and >= 0)
        {
            column += next;
            columns[count++] = column++;
        }
        return count;
    }

    // Rows that a tile lacks get zeros.
    private void Gather(int tile, int row, int count)
    {
        float* outliers = _block.Outliers(tile) + row % TileRows;
        int* columns = _block.OutlierColumns(tile);
        for (int i = 0; i < _block.OutlierCount(tile); i++, outliers += TileRows)
        {
            if (i >= count)
            {
                *outliers = 0;
                continue;
            }
            float activation = StoredRow<T, TStorage>.At(Source(row), columns[i]);
            bool isOwn = !(Math.Abs(activation) < _rows.Limit);
            *outliers = IsUnited || isOwn ? activation : 0;
            // A united column leaves the integer product in all rows; an outlier of the row is zero there already.
            if (IsUnited)
                TKernels.Clear(_block.Values(row) + columns[i] / Int8WeightsLayout.LaneInputs * _block.StepBytes, columns[i] % Int8WeightsLayout.LaneInputs);
        }
    }
}

/// <summary>Sets the bytes of columns in which any row has an outlier. Threads may set the same byte: to the same value.</summary>
internal readonly unsafe struct Int8ColumnJob<T, TStorage>(T* matrix, int columnCount, float limit, byte* hasOutlier) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    public void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
            StoredRow<T, TStorage>.AbsMax(matrix + row * columnCount, columnCount, limit, hasOutlier);
    }
}

/// <summary>Packs rows that are quantised already.</summary>
internal readonly unsafe struct Int8PackJob<TKernels>(sbyte* values, int inputCount, in Int8ActivationBlock block) : IRangeJob
    where TKernels : struct, IInt8Kernels
{
    private readonly sbyte* _values = values;
    private readonly int _inputCount = inputCount;
    private readonly Int8ActivationBlock _block = block;

    public void Run(long begin, long end)
    {
        for (int row = (int)begin; row < end; row++)
            TKernels.Pack(_values + (long)row * _inputCount, _block.Values(row), _block.StepBytes, _inputCount);
    }
}
