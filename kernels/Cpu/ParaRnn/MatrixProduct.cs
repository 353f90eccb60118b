using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// Dense products: panels of B packed once for all threads, tiles of C in registers. A is read where it lies if its rows are contiguous, else blocks of it are packed by the thread
/// that uses them. Each element is one chain of multiply-adds in the order of the inner index, cut every <see cref="MatrixTuning.InnerBlock"/> terms: the same bits on any number of threads.
/// </summary>
internal static unsafe class MatrixProduct<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    public static int TileColumns => MatrixTuning.TileVectors * TSimd.Count;

    public static void Run(in ProductArrays<T> arrays, int threads, CancellationToken cancellation)
    {
        int panels = (arrays.ColumnCount + TileColumns - 1) / TileColumns, rowBlocks = (arrays.RowCount + MatrixTuning.RowBlock - 1) / MatrixTuning.RowBlock;
        using var packed = new PooledMemory<T>((long)panels * TileColumns * (MatrixTuning.InnerBlock + 1));
        int begin = 0;
        do
        {
            int depth = Math.Min(MatrixTuning.InnerBlock, arrays.InnerCount - begin);
            PackRight(arrays, begin, depth, panels, packed.Pointer);
            var job = new MatrixProductJob<TSimd, V, T>(arrays, packed.Pointer, begin, depth, arrays.Accumulates || begin > 0);
            RangeRunner.Run(job, rowBlocks, 1, threads, cancellation);
            begin += depth;
        }
        while (begin < arrays.InnerCount);
    }

    // Each panel: the bias of its columns, then depth rows of B; columns beyond the last are zeros.
    private static void PackRight(in ProductArrays<T> arrays, int begin, int depth, int panels, T* packed)
    {
        for (int panel = 0; panel < panels; panel++)
        {
            int first = panel * TileColumns, count = Math.Min(TileColumns, arrays.ColumnCount - first);
            var bias = new Span<T>(packed, TileColumns);
            bias.Clear();
            if (arrays.Bias != null)
                new ReadOnlySpan<T>(arrays.Bias + first, count).CopyTo(bias);
            packed += TileColumns;
            T* right = arrays.Right.Data + begin * arrays.Right.RowStride + first * arrays.Right.ColumnStride;
            if (arrays.Right.ColumnStride == 1)
                CopyRows(right, arrays.Right.RowStride, depth, count, packed);
            else
                Transpose(right, arrays.Right, depth, count, packed);
            packed += depth * TileColumns;
        }
    }

    private static void CopyRows(T* from, long stride, int depth, int count, T* packed)
    {
        for (int k = 0; k < depth; k++, packed += TileColumns)
        {
            new ReadOnlySpan<T>(from + k * stride, count).CopyTo(new Span<T>(packed, count));
            new Span<T>(packed + count, TileColumns - count).Clear();
        }
    }

    // Column after column: each is contiguous in the transposed matrix, and columns side by side may all lie in one set of the cache.
    private static void Transpose(T* from, in StridedMatrix<T> right, int depth, int count, T* packed)
    {
        long step = right.RowStride;
        for (int j = 0; j < TileColumns; j++)
        {
            T* column = from + j * right.ColumnStride;
            for (int k = 0; k < depth; k++)
                packed[k * TileColumns + j] = j < count ? column[k * step] : default;
        }
    }
}

/// <summary>Blocks of rows of a product, for one stretch of the inner index.</summary>
internal readonly unsafe struct MatrixProductJob<TSimd, V, T>(ProductArrays<T> arrays, T* panels, int begin, int depth, bool accumulates) : IRangeJob
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const int TileRows = MatrixTuning.TileRows;

    private readonly ProductArrays<T> _arrays = arrays;
    private readonly T* _panels = panels;
    private readonly int _begin = begin, _depth = depth;
    private readonly bool _accumulates = accumulates;

    private static int TileColumns => MatrixProduct<TSimd, V, T>.TileColumns;

    [SkipLocalsInit]
    public void Run(long first, long end)
    {
        T* rows = stackalloc T[MatrixTuning.RowBlock * MatrixTuning.InnerBlock];
        T* edge = stackalloc T[TileRows * TileColumns];
        for (long block = first; block < end; block++)
        {
            int row = (int)block * MatrixTuning.RowBlock, count = Math.Min(MatrixTuning.RowBlock, _arrays.RowCount - row);
            // What lies in contiguous rows stays there, but for a last tile that would read beyond.
            int inPlace = _arrays.Left.ColumnStride == 1 ? count / TileRows * TileRows : 0;
            PackLeft(row + inPlace, count - inPlace, rows);
            RunBlock(row, count, inPlace, rows, edge);
        }
    }

    // Tiles of six rows, column after column; rows beyond the last are zeros.
    private void PackLeft(int row, int count, T* packed)
    {
        for (int tile = 0; tile < count; tile += TileRows, packed += TileRows * _depth)
        {
            for (int i = 0; i < TileRows; i++)
            {
                if (tile + i >= count)
                {
                    for (int k = 0; k < _depth; k++)
                        packed[k * TileRows + i] = default;
                    continue;
                }
                T* from = LeftAt(row + tile + i);
                for (int k = 0; k < _depth; k++)
                    packed[k * TileRows + i] = from[k * _arrays.Left.ColumnStride];
            }
        }
    }

    private T* LeftAt(int row) => _arrays.Left.Data + row * _arrays.Left.RowStride + _begin * _arrays.Left.ColumnStride;

    private void RunBlock(int row, int count, int inPlace, T* packed, T* edge)
    {
        T* panel = _panels;
        for (int column = 0; column < _arrays.ColumnCount; column += TileColumns, panel += (_depth + 1) * TileColumns)
        {
            int width = Math.Min(TileColumns, _arrays.ColumnCount - column);
            for (int tile = 0; tile < count; tile += TileRows)
            {
                int height = Math.Min(TileRows, count - tile);
                bool isInPlace = tile < inPlace;
                T* rows = isInPlace ? LeftAt(row + tile) : packed + (tile - inPlace) * _depth;
                long rowStride = isInPlace ? _arrays.Left.RowStride : 1, termStride = isInPlace ? 1 : TileRows;
                T* result = _arrays.Result + (long)(row + tile) * _arrays.ColumnCount + column;
                if (height == TileRows && width == TileColumns)
                {
                    MatrixTile<TSimd, V, T>.Run(rows, rowStride, termStride, panel, _depth, result, _arrays.ColumnCount, _accumulates);
                    continue;
                }
                for (int i = 0; i < height; i++)
                    new ReadOnlySpan<T>(result + (long)i * _arrays.ColumnCount, width).CopyTo(new Span<T>(edge + i * TileColumns, width));
                MatrixTile<TSimd, V, T>.Run(rows, rowStride, termStride, panel, _depth, edge, TileColumns, _accumulates);
                for (int i = 0; i < height; i++)
                    new ReadOnlySpan<T>(edge + i * TileColumns, width).CopyTo(new Span<T>(result + (long)i * _arrays.ColumnCount, width));
            }
        }
    }
}
