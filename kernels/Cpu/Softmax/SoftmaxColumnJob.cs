using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

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
    // Arrays of one element a column in the scratch: largest logit (later the reciprocal's high part), low part (or log-sum-exp), origins, floors, offsets,
    // staged logits.
    private const int ArrayCount = 6;

    // Such arrays in double: sums (later excesses), what these lost by rounding (later largest logits), terms of the largest logits.
    private const int WideArrayCount = 3;

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
        double* sums = stackalloc double[WideArrayCount * SoftmaxTuning.ColumnTileLength];
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
        bool isProbability = _rows.Operation == SoftmaxOperation.Probabilities;
        // A column of nothing but minus infinity is summed from 0: its terms vanish, and so does its sum once it is looked at.
        TKernels.SetColumnReferences(ref *tile.Largest, (nuint)tile.Count, isProbability ? SoftmaxReference<C>.NumeratorBias : 0, tile.References);
        SumTerms(tile);
        if (isProbability)
        {
            SetReciprocals(tile);
            StoreResults(tile);
            return;
        }
        FindExcesses(tile);
        if (_rows.Operation == SoftmaxOperation.LogSumExp)
        {
            StoreLogarithms(tile);
            return;
        }
        MaskExcesses(tile);
        StoreResults(tile);
    }

    private C* Load(in Tile tile, int position) => _stage.Stage(tile.Outer, (long)position * _rows.Shape.InnerCount + tile.Column, tile.Count, tile.Staged);

    private void FindLargest(in Tile tile)
    {
        new Span<C>(tile.Largest, tile.Count).Fill(SoftmaxPartialSum<C>.Empty.Largest);
        for (int position = 0; position < _rows.Shape.RowLength; position++)
            TKernels.ColumnMax(ref *Load(tile, position), ref *tile.Largest, (nuint)tile.Count);
    }

    private void SumTerms(in Tile tile)
    {
        tile.Clear(tile.Sums);
        tile.Clear(tile.Lost);
        for (int position = 0; position < _rows.Shape.RowLength; position++)
            TKernels.ColumnSumExp(ref *Load(tile, position), ref *tile.Sums, ref *tile.Lost, (nuint)tile.Count, tile.References);
        for (int i = 0; i < tile.Count; i++)
            tile.Sums[i] += tile.Lost[i];
    }

    // A NaN sum keeps the column NaN, whatever its largest element was taken for.
    private static bool IsFullyMasked(in Tile tile, int i) => double.IsNegativeInfinity(ComputeType.ToDouble(tile.Largest[i])) && !double.IsNaN(tile.Sums[i]);

    // From here on Sums holds log sum exp(x) - largest logit, and Lost the largest logit.
    private static void FindExcesses(in Tile tile)
    {
        tile.Clear(tile.Terms);
        tile.Clear(tile.Lost);
        TKernels.ColumnSumExp(ref *tile.Largest, ref *tile.Terms, ref *tile.Lost, (nuint)tile.Count, tile.References);
        for (int i = 0; i < tile.Count; i++)
        {
            tile.Sums[i] = SoftmaxPartialSum<C>.Excess(tile.Sums[i], tile.Terms[i]);
            tile.Lost[i] = ComputeType.ToDouble(tile.Largest[i]);
        }
    }

    private void StoreLogarithms(in Tile tile)
    {
        T* output = _rows.Output + tile.Outer * _rows.Shape.InnerCount + tile.Column;
        for (int i = 0; i < tile.Count; i++)
        {
            bool isPlusInfinity = double.IsNaN(tile.Sums[i]) && double.IsPositiveInfinity(tile.Lost[i]) && !ContainsNaN(tile, i);
            // Of a fully masked column the largest logit is minus infinity, and so is the sum of the two.
            tile.Low[i] = ComputeType.FromDouble<C>(isPlusInfinity ? double.PositiveInfinity : tile.Lost[i] + tile.Sums[i]);
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
        for (int position = 0; position < _rows.Shape.RowLength; position++)
        {
            long offset = (long)position * _rows.Shape.InnerCount + tile.Column;
            T* output = _rows.Output + tile.Outer * _rows.Shape.OutputRowStride + offset;
            C* logits = Load(tile, position);
            C* results = TStorage.IsComputeType ? (C*)output : tile.Staged;
            if (isLog)
                TKernels.ColumnSubtract(ref *logits, ref *results, (nuint)tile.Count, ref *tile.Lost, ref *tile.Sums);
            else
                TKernels.ColumnScaleExp(ref *logits, ref *results, (nuint)tile.Count, tile.References, ref *tile.Largest, ref *tile.Low);
            if (!TStorage.IsComputeType)
                TStorage.Narrow(results, output, tile.Count);
        }
    }

    // From here on Largest and Low hold the reciprocals of the sums.
    private void SetReciprocals(in Tile tile)
    {
        C masked = ComputeType.FromDouble<C>(MaskedConstant);
        for (int i = 0; i < tile.Count; i++)
        {
            var reciprocal = new SplitReciprocal<C>(tile.Sums[i]);
            (tile.Largest[i], tile.Low[i]) = IsFullyMasked(tile, i) ? (masked, masked) : (reciprocal.High, reciprocal.Low);
        }
    }

    private void MaskExcesses(in Tile tile)
    {
        for (int i = 0; i < tile.Count; i++)
        {
            if (IsFullyMasked(tile, i))
                tile.Lost[i] = tile.Sums[i] = MaskedConstant;
        }
    }

    // What makes zeros or minus infinities, or NaN, of a fully masked column.
    private double MaskedConstant => _rows.Safe ? 0 : double.NaN;

    /// <summary>Adjacent columns of one outer slab, and their arrays in the scratch.</summary>
    private readonly struct Tile(long outer, int column, int count, C* arrays, double* sums)
    {
        public const int Stride = SoftmaxTuning.ColumnTileLength;

        public readonly long Outer = outer;
        public readonly int Column = column, Count = count;
        public readonly double* Sums = sums, Lost = sums + Stride, Terms = sums + 2 * Stride;
        public readonly C* Largest = arrays, Low = arrays + Stride, Origins = arrays + 2 * Stride, Floors = arrays + 3 * Stride;
        public readonly C* Offsets = arrays + 4 * Stride, Staged = arrays + 5 * Stride;

        // Of the columns, in whole registers.
        public void Clear(double* array) => new Span<double>(array, Math.Min(Stride, Count + TKernels.Width)).Clear();

        public ColumnReferences<C> References => new(ref *Origins, ref *Floors, ref *Offsets);
    }
}
