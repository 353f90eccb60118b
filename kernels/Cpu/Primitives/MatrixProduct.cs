using System.Runtime.CompilerServices;
using Kernels.Core.Primitives;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Primitives;

/// <summary>
/// Dense products of any strides: pieces of work (<see cref="MatrixBlocks"/>), each of which packs what it needs, so that threads share nothing and wait for
/// nobody.
/// </summary>
internal readonly unsafe struct MatrixProductJob<TSimd, V, T>(in ProductArrays<T> arrays, in MatrixBlocks blocks) : IRangeJob
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly ProductArrays<T> _arrays = arrays;
    private readonly MatrixBlocks _blocks = blocks;

    private static int TileRows => ProductTile<TSimd, V, T>.Rows;

    private static int TileColumns => ProductTile<TSimd, V, T>.Columns;

    private bool LeftLiesInRows => _arrays.Left.ColumnStride == 1;

    public static void Run(in ProductArrays<T> arrays, int threads, CancellationToken cancellation)
    {
        var blocks = MatrixBlocks.Of(arrays.RowCount, arrays.ColumnCount, arrays.InnerCount, TileRows, TileColumns, sizeof(T), threads);
        RangeRunner.Run(new MatrixProductJob<TSimd, V, T>(arrays, blocks), blocks.ItemCount, 1, threads, cancellation);
    }

    public void Run(long begin, long end)
    {
        // A row of biases, the slivers, a tile at the edge; the rows, where they must be packed.
        int leftElements = LeftLiesInRows ? 0 : _blocks.Rows * _blocks.Depth;
        using var memory = RentedScratch.Of(TileColumns * (1 + (long)_blocks.Slivers * _blocks.Depth + _blocks.Rows) + leftElements, out T* scratch);
        for (long item = begin; item < end; item++)
        {
            int sliver = (int)(item / _blocks.RowItems) * _blocks.Slivers, row = (int)(item % _blocks.RowItems) * _blocks.ItemRows;
            int column = sliver * TileColumns, columns = Math.Min(_blocks.Slivers * TileColumns, _arrays.ColumnCount - column);
            int rows = Math.Min(_blocks.ItemRows, _arrays.RowCount - row), term = 0;
            do
            {
                int depth = Math.Min(_blocks.Depth, _arrays.InnerCount - term);
                var slivers = scratch + TileColumns;
                PackRight(term, depth, column, columns, slivers);
                for (int first = row; first < row + rows; first += _blocks.Rows)
                    RunBlock(term, depth, first, Math.Min(_blocks.Rows, row + rows - first), column, columns, scratch);
                term += depth;
            }
            while (term < _arrays.InnerCount);
        }
    }

    // All slivers of the piece by one block of rows.
    private void RunBlock(int term, int depth, int row, int rows, int column, int columns, T* scratch)
    {
        T* bias = scratch, slivers = bias + TileColumns, edge = slivers + (long)_blocks.Slivers * _blocks.Depth * TileColumns,
            packed = edge + (long)_blocks.Rows * TileColumns;
        bool startsFromResult = _arrays.Accumulates || term > 0;
        if (!LeftLiesInRows)
            PackLeft(term, depth, row, rows, packed);
        for (int at = 0; at < columns; at += TileColumns, slivers += depth * TileColumns)
        {
            int width = Math.Min(TileColumns, columns - at);
            bool isEdge = width < TileColumns;
            T* result = _arrays.Result + row * _arrays.ResultStride + column + at;
            if (isEdge && startsFromResult)
                CopyRows(result, _arrays.ResultStride, edge, TileColumns, rows, width);
            if (!startsFromResult)
                SetBias(bias, column + at, width);
            var product = new SliverProduct<T>
            {
                Sliver = slivers,
                RowCount = rows,
                Depth = depth,
                Result = isEdge ? edge : result,
                ResultStride = isEdge ? TileColumns : (nint)_arrays.ResultStride,
            };
            product.Start = startsFromResult ? product.Result : bias;
            product.StartStride = startsFromResult ? product.ResultStride : 0;
            Multiply(product, term, row, packed);
            if (isEdge)
                CopyRows(edge, TileColumns, result, _arrays.ResultStride, rows, width);
        }
    }

    private void Multiply(SliverProduct<T> product, int term, int row, T* packed)
    {
        if (LeftLiesInRows)
        {
            product.Left = _arrays.Left.Data + row * _arrays.Left.RowStride + term;
            product.LeftStride = (nint)_arrays.Left.RowStride;
            product.DepthStride = 1;
            ProductTile<TSimd, V, T>.Multiply(product);
            return;
        }
        // Packed tiles are [depth, tile rows], one after another.
        int rows = product.RowCount;
        product.LeftStride = 1;
        product.DepthStride = TileRows;
        for (int tile = 0; tile < rows; tile += TileRows)
        {
            product.Left = packed + (long)tile * product.Depth;
            product.RowCount = Math.Min(TileRows, rows - tile);
            ProductTile<TSimd, V, T>.Multiply(product);
            product.Start += TileRows * product.StartStride;
            product.Result += TileRows * product.ResultStride;
        }
    }

    private void SetBias(T* bias, int column, int width)
    {
        var row = new Span<T>(bias, TileColumns);
        row.Clear();
        if (_arrays.Bias != null)
            new ReadOnlySpan<T>(_arrays.Bias + column, width).CopyTo(row);
    }

    // Slivers [depth, tile columns], one after another; columns beyond the last are zeros.
    private void PackRight(int term, int depth, int column, int columns, T* slivers)
    {
        StridedMatrix<T> right = _arrays.Right;
        for (int at = 0; at < columns; at += TileColumns, slivers += depth * TileColumns)
        {
            int width = Math.Min(TileColumns, columns - at);
            T* from = right.Data + term * right.RowStride + (column + at) * right.ColumnStride;
            if (width < TileColumns)
                new Span<T>(slivers, depth * TileColumns).Clear();
            if (right.ColumnStride == 1)
            {
                CopyRows(from, right.RowStride, slivers, TileColumns, depth, width);
                continue;
            }
            // Column after column: each is contiguous in the transposed matrix, and columns side by side may all lie in one set of the cache.
            for (int j = 0; j < width; j++, from += right.ColumnStride)
            {
                for (int k = 0; k < depth; k++)
                    slivers[k * TileColumns + j] = from[k * right.RowStride];
            }
        }
    }

    // Tiles [depth, tile rows] of a matrix that lies in columns; rows beyond the last are not used.
    private void PackLeft(int term, int depth, int row, int rows, T* packed)
    {
        T* from = _arrays.Left.Data + row * _arrays.Left.RowStride + term * _arrays.Left.ColumnStride;
        for (int tile = 0; tile < rows; tile += TileRows, packed += depth * TileRows, from += TileRows * _arrays.Left.RowStride)
            CopyRows(from, _arrays.Left.ColumnStride, packed, TileRows, depth, Math.Min(TileRows, rows - tile));
    }

    private static void CopyRows(T* from, long fromStride, T* to, long toStride, int rows, int width)
    {
        uint bytes = (uint)(width * sizeof(T));
        for (int row = 0; row < rows; row++, from += fromStride, to += toStride)
            Unsafe.CopyBlockUnaligned(to, from, bytes);
    }
}
