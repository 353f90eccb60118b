using System.Runtime.CompilerServices;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>Quantises rows: largest magnitude, then values.</summary>
internal readonly unsafe struct Int8RowJob<T, TStorage>(in Int8QuantizationRows<T> rows) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private readonly Int8QuantizationRows<T> _rows = rows;

    public void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            T* source = _rows.Matrix + row * _rows.ColumnCount;
            _rows.AbsMax[row] = StoredRow<T, TStorage>.AbsMax(source, _rows.ColumnCount, _rows.Limit, null);
            StoredRow<T, TStorage>.Quantize(source, _rows.ColumnCount, _rows.Limit, _rows.AbsMax[row], _rows.Values + row * _rows.ColumnCount);
        }
    }
}

/// <summary>Quantises columns, a chunk of columns at a time: two passes over its rows.</summary>
internal readonly unsafe struct Int8ColumnsJob<T, TStorage>(in Int8QuantizationRows<T> rows) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int Chunk = Int8DecompositionTuning.Chunk;

    private readonly Int8QuantizationRows<T> _rows = rows;

    public void Run(long begin, long end)
    {
        for (long chunk = begin; chunk < end; chunk++)
            Quantize((int)chunk * Chunk, Math.Min(Chunk, _rows.ColumnCount - (int)chunk * Chunk));
    }

    [SkipLocalsInit]
    private void Quantize(int first, int count)
    {
        float* wide = stackalloc float[Chunk], raises = stackalloc float[Chunk], factors = stackalloc float[Chunk];
        float* absMax = _rows.AbsMax + first;
        new Span<float>(absMax, count).Clear();
        for (long row = 0; row < _rows.RowCount; row++)
            RowQuantizer.LargestByColumn(StoredRow<T, TStorage>.Widened(_rows.Matrix + row * _rows.ColumnCount + first, wide, count), count, _rows.Limit,
                absMax);
        for (int i = 0; i < count; i++)
            (raises[i], factors[i]) = AbsMaxRule.FactorsOf(absMax[i]);
        for (long row = 0; row < _rows.RowCount; row++)
        {
            long start = row * _rows.ColumnCount + first;
            RowQuantizer.QuantizeByColumn(StoredRow<T, TStorage>.Widened(_rows.Matrix + start, wide, count), count, _rows.Limit, raises, factors,
                _rows.Values + start);
        }
    }
}

/// <summary>Matrix = values (absmax / 127), by rows.</summary>
internal readonly unsafe struct Int8DequantizeJob<T, TStorage>(in Int8QuantizationRows<T> rows) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int Chunk = Int8DecompositionTuning.Chunk;

    private readonly Int8QuantizationRows<T> _rows = rows;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        float* wide = stackalloc float[Chunk];
        for (long row = begin; row < end; row++)
        {
            float factor = _rows.AbsMax[row] / AbsMaxRule.LargestValue;
            for (int first = 0; first < _rows.ColumnCount; first += Chunk)
            {
                long start = row * _rows.ColumnCount + first;
                int count = Math.Min(Chunk, _rows.ColumnCount - first);
                for (int i = 0; i < count; i++)
                    wide[i] = _rows.Values[start + i] * factor;
                TStorage.Narrow(wide, _rows.Matrix + start, count);
            }
        }
    }
}

/// <summary>Integer sums to floats, in the operations and the order of the fused product.</summary>
internal readonly unsafe struct Int8DequantizeProductJob<T, TStorage>(in Int8DequantizationRows<T> rows) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
{
    private const int Width = Int8WeightsLayout.PanelColumns;

    private readonly Int8DequantizationRows<T> _rows = rows;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        int* sums = stackalloc int[Width];
        float* factors = stackalloc float[Width], bias = stackalloc float[Width], noOutliers = stackalloc float[Width], results = stackalloc float[Width];
        new Span<float>(noOutliers, Width).Clear();
        new Span<float>(bias, Width).Clear();
        for (int first = 0; first < _rows.ColumnCount; first += Width)
        {
            int count = Math.Min(Width, _rows.ColumnCount - first);
            for (int i = 0; i < count; i++)
                factors[i] = _rows.ColumnAbsMax[first + i] / AbsMaxRule.LargestValue;
            if (_rows.Bias != null)
                new ReadOnlySpan<float>(_rows.Bias + first, count).CopyTo(new Span<float>(bias, count));
            for (long row = begin; row < end; row++)
            {
                new ReadOnlySpan<int>(_rows.Products + row * _rows.ColumnCount + first, count).CopyTo(new Span<int>(sums, count));
                Dequantization.Row(sums, _rows.RowAbsMax[row] / AbsMaxRule.LargestValue, noOutliers, factors, bias, results);
                TStorage.Narrow(results, _rows.Output + row * _rows.ColumnCount + first, count);
            }
        }
    }
}
