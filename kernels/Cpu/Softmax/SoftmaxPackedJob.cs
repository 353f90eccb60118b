using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>Rows too short to fill registers: many of them are transposed into a tile and done as its columns.</summary>
internal readonly unsafe struct SoftmaxPackedJob<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows) : IRangeJob
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    private const int TileLength = SoftmaxTuning.ColumnTileLength;

    private readonly SoftmaxRows<T> _rows = rows;
    private readonly LogitStage<T, C, TKernels, TStorage> _stage = new(rows);

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        if (_rows.Shape.RowLength == 1)
        {
            RunSingles(begin, end);
            return;
        }
        C* tile = stackalloc C[SoftmaxTuning.PackedLength * TileLength], sums = stackalloc C[TileLength];
        for (long row = begin; row < end; row += TileLength)
        {
            int count = (int)Math.Min(TileLength, end - row);
            Gather(row, count, tile);
            bool isSum = _rows.Operation == SoftmaxOperation.LogSumExp;
            var columns = new SoftmaxColumnJob<C, C, TKernels, ComputeStorage<C>>(ColumnsOf(tile, count, isSum ? sums : tile));
            columns.Run(0, columns.TileCount);
            if (isSum)
                TStorage.Narrow(sums, _rows.Output + row, count);
            else
                Scatter(tile, row, count);
        }
    }

    // Rows of one: 1, or 0 as a logarithm, or what the table of special values says.
    private void RunSingles(long begin, long end)
    {
        bool isLog = _rows.Operation == SoftmaxOperation.LogProbabilities;
        C finite = ComputeType.FromDouble<C>(isLog ? 0 : 1), nan = ComputeType.FromDouble<C>(double.NaN);
        C masked = _rows.Safe ? ComputeType.FromDouble<C>(isLog ? double.NegativeInfinity : 0) : nan;
        long stride = _rows.Operation == SoftmaxOperation.LogSumExp ? 1 : _rows.Shape.OutputRowStride;
        C staged;
        for (long row = begin; row < end; row++)
        {
            C logit = *_stage.Stage(row, 0, 1, &staged), result = logit;
            if (_rows.Operation != SoftmaxOperation.LogSumExp)
                result = double.IsFinite(ComputeType.ToDouble(logit)) ? finite : double.IsNegativeInfinity(ComputeType.ToDouble(logit)) ? masked : nan;
            TStorage.Narrow(&result, _rows.Output + row * stride, 1);
        }
    }

    private SoftmaxRows<C> ColumnsOf(C* tile, int count, C* output) => new()
    {
        Operation = _rows.Operation,
        Shape = new SoftmaxShape(OuterCount: 1, _rows.Shape.RowLength, count, (long)_rows.Shape.RowLength * count, (long)_rows.Shape.RowLength * count),
        Input = tile,
        Output = output,
        Scale = 1,
        CausalQueryCount = 1,
        Safe = _rows.Safe,
    };

    // Logits of a row stand count apart.
    private void Gather(long row, int count, C* tile)
    {
        C* staged = stackalloc C[SoftmaxTuning.PackedLength];
        int length = _rows.Shape.RowLength;
        for (int r = 0; r < count; r++)
        {
            C* logits = _stage.Stage(row + r, 0, length, staged);
            for (int i = 0; i < length; i++)
                tile[i * count + r] = logits[i];
        }
    }

    private void Scatter(C* tile, long row, int count)
    {
        C* staged = stackalloc C[SoftmaxTuning.PackedLength];
        int length = _rows.Shape.RowLength;
        for (int r = 0; r < count; r++)
        {
            T* output = _rows.Output + (row + r) * _rows.Shape.OutputRowStride;
            C* results = TStorage.IsComputeType ? (C*)output : staged;
            for (int i = 0; i < length; i++)
                results[i] = tile[i * count + r];
            if (!TStorage.IsComputeType)
                TStorage.Narrow(staged, output, length);
        }
    }
}
