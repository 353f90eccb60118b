using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Softmax along an axis that is not the last: tiles of adjacent columns, each lane a softmax of its own. Three sweeps down the axis: largest logits, sums,
/// results. A tile is narrow enough for the sweeps after the first to find it in level 2.
/// </summary>
internal readonly unsafe struct SoftmaxColumnJob<T, C, TKernels, TStorage> : IRangeJob
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    // Arrays of one element a column in the scratch: largest (later factor or high), low, origins, floors, offsets, staged logits.
    private const int ArrayCount = 6;

    private readonly SoftmaxRows<T> _rows;
    private readonly LogitStage<T, C, TKernels, TStorage> _stage;
    private readonly int _tileLength;

    public SoftmaxColumnJob(in SoftmaxRows<T> rows)
    {
        _rows = rows;
        _stage = new(rows);
        long columnBytes = (long)Math.Max(1, rows.Shape.RowLength) * sizeof(C);
        const int lineElements = 16; // of float: one cache line
        _tileLength = (int)Math.Clamp(SoftmaxTuning.ColumnTileBytes / columnBytes / lineElements * lineElements, lineElements, SoftmaxTuning.ColumnTileLength);
    }

    private int TilesPerSlab => (int)(((long)_rows.Shape.InnerCount + _tileLength - 1) / _tileLength);

    /// <summary>The number of work items: tiles of all outer slabs.</summary>
    public long TileCount => (long)_rows.Shape.OuterCount * TilesPerSlab;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        C* arrays = stackalloc C[ArrayCount * SoftmaxTuning.ColumnTileLength];
        double* sums = stackalloc double[SoftmaxTuning.ColumnTileLength];
        for (long tile = begin; tile < end; tile++)
        {
            long outer = tile / TilesPerSlab;
            int column = (int)(tile % TilesPerSlab) * _tileLength;
            RunTile(new Tile(outer, column, Math.Min(_tileLength, _rows.Shape.InnerCount - column), arrays, sums));
        }
    }

    private void RunTile(in Tile tile)
    {
        FindLargest(tile);
        SetReferences(tile, bias: 0);
        SumTerms(tile);
        if (_rows.Operation == SoftmaxOperation.LogSumExp)
            StoreLogarithms(tile);
        else
            StoreResults(tile);
    }

    private C* Load(in Tile tile, int position) => _stage.Stage(tile.Outer, (long)position * _rows.Shape.InnerCount + tile.Column, tile.Count, tile.Staged);

    private void FindLargest(in Tile tile)
    {
        new Span<C>(tile.Largest, tile.Count).Fill(SoftmaxPartialSum<C>.Empty.Largest);
        for (int position = 0; position < _rows.Shape.RowLength; position++)
            TKernels.ColumnMax(ref *Load(tile, position), ref *tile.Largest, (nuint)tile.Count);
    }

    // A column of nothing but minus infinity is summed from 0: its terms vanish, and so does its sum once it is looked at.
    private static void SetReferences(in Tile tile, int bias)
    {
        for (int i = 0; i < tile.Count; i++)
        {
            C largest = double.IsNegativeInfinity(ComputeType.ToDouble(tile.Largest[i])) ? default : tile.Largest[i];
            var reference = new SoftmaxReference<C>(largest, bias);
            tile.Origins[i] = reference.Origin;
            tile.Floors[i] = reference.Floor;
            tile.Offsets[i] = sizeof(C) == sizeof(float) ? Unsafe.BitCast<int, C>((int)reference.OffsetBits) : Unsafe.BitCast<long, C>(reference.OffsetBits);
        }
    }

    private void SumTerms(in Tile tile)
    {
        new Span<double>(tile.Sums, tile.Count).Clear();
        for (int position = 0; position < _rows.Shape.RowLength; position++)
            TKernels.ColumnSumExp(ref *Load(tile, position), ref *tile.Sums, (nuint)tile.Count, tile.References);
    }

    // A NaN sum keeps the column NaN, whatever its largest element was taken for.
    private static SoftmaxPartialSum<C> PartialSum(in Tile tile, int i) =>
        double.IsNegativeInfinity(ComputeType.ToDouble(tile.Largest[i])) && !double.IsNaN(tile.Sums[i])
            ? SoftmaxPartialSum<C>.Empty
            : new SoftmaxPartialSum<C>(tile.Sums[i], tile.Largest[i]);

    private void StoreLogarithms(in Tile tile)
    {
        T* output = _rows.Output + tile.Outer * _rows.Shape.InnerCount + tile.Column;
        for (int i = 0; i < tile.Count; i++)
        {
            bool isInfinite = double.IsNaN(tile.Sums[i]) && double.IsPositiveInfinity(ComputeType.ToDouble(tile.Largest[i])) && !ContainsNaN(tile, i);
            tile.Low[i] = ComputeType.FromDouble<C>(isInfinite ? double.PositiveInfinity : PartialSum(tile, i).Logarithm);
        }
        TStorage.Narrow(tile.Low, output, tile.Count);
    }

    private bool ContainsNaN(in Tile tile, int column)
    {
        for (int position = 0; position < _rows.Shape.RowLength; position++)
        {
            if (double.IsNaN(ComputeType.ToDouble(Load(tile, position)[column])))
                return true;
        }
        return false;
    }

    private void StoreResults(in Tile tile)
    {
        bool isLog = _rows.Operation == SoftmaxOperation.LogProbabilities;
        SetReferences(tile, SoftmaxReference<C>.NumeratorBias);
        SetConstants(tile, isLog);
        for (int position = 0; position < _rows.Shape.RowLength; position++)
        {
            long offset = (long)position * _rows.Shape.InnerCount + tile.Column;
            T* output = _rows.Output + tile.Outer * _rows.Shape.OutputRowStride + offset;
            C* logits = Load(tile, position);
            C* results = TStorage.IsComputeType ? (C*)output : tile.Staged;
            if (isLog)
                TKernels.ColumnSubtract(ref *logits, ref *results, (nuint)tile.Count, ref *tile.Largest, ref *tile.Low);
            else
                TKernels.ColumnScaleExp(ref *logits, ref *results, (nuint)tile.Count, tile.References, ref *tile.Largest);
            if (!TStorage.IsComputeType)
                TStorage.Narrow(results, output, tile.Count);
        }
    }

    // From here on Largest holds the factor of the terms, or the high part of the log-sum-exp.
    private void SetConstants(in Tile tile, bool isLog)
    {
        for (int i = 0; i < tile.Count; i++)
        {
            SoftmaxPartialSum<C> sum = PartialSum(tile, i);
            C masked = ComputeType.FromDouble<C>(_rows.Safe ? 0 : double.NaN);
            if (sum.IsFullyMasked)
                (tile.Largest[i], tile.Low[i]) = (masked, masked);
            else if (isLog)
                (tile.Largest[i], tile.Low[i]) = sum.SplitLogarithm;
            else
                tile.Largest[i] = ComputeType.FromDouble<C>(Math.ScaleB(1 / sum.Sum, -SoftmaxReference<C>.NumeratorBias));
        }
    }

    /// <summary>Adjacent columns of one outer slab, and their arrays in the scratch.</summary>
    private readonly struct Tile(long outer, int column, int count, C* arrays, double* sums)
    {
        private const int Stride = SoftmaxTuning.ColumnTileLength;

        public readonly long Outer = outer;
        public readonly int Column = column, Count = count;
        public readonly double* Sums = sums;
        public readonly C* Largest = arrays, Low = arrays + Stride, Origins = arrays + 2 * Stride, Floors = arrays + 3 * Stride;
        public readonly C* Offsets = arrays + 4 * Stride, Staged = arrays + 5 * Stride;

        public ColumnReferences<C> References => new(ref *Origins, ref *Floors, ref *Offsets);
    }
}
