using System.Runtime.InteropServices;
using Kernels.Core.Threading;

namespace Kernels.Core.SpGemm;

/// <summary>
/// The entries of a file, as they are read: each block of text is cut into pieces of whole lines, which threads parse to the places that the lines' numbers
/// give.
/// </summary>
/// <param name="header">The file's first lines.</param>
/// <param name="file">For messages.</param>
/// <param name="sizesLine">The number of the line of sizes, the last one of the header.</param>
/// <param name="options">Checked options.</param>
internal sealed unsafe class MatrixMarketAssembly<T>(MatrixMarketHeader header, string file, long sizesLine, MatrixMarketOptions options)
    where T : unmanaged, IEquatable<T>
{
    // Large enough for handing them out not to show, small enough for all threads to end together.
    private const long PieceBytes = 1 << 20;

    private int[] _rows = [], _columns = [];
    private T[] _values = [];

    // Of each entry; only where duplicates are refused, which must say where.
    private long[] _lines = [];
    private int _count;

    // Lines read, behind the header.
    private long _lineCount;

    private long LineNumber => sizesLine + _lineCount;

    private bool KeepsLines => options.Duplicates == DuplicateEntries.Refuse;

    /// <summary>Reads the entries of a block.</summary>
    /// <exception cref="TensorFileException">A line is no entry, or there are more than announced.</exception>
    public void Add(in MatrixMarketBlock block)
    {
        MatrixMarketPiece[] pieces = Cut(block);
        int threads = ThreadPolicy.Threads(options.Kernel);
        fixed (MatrixMarketPiece* pinned = pieces)
        {
            RangeRunner.Run(new MatrixMarketLineJob(block.Text, pinned), pieces.Length, grain: 1, threads, options.Kernel.CancellationToken);
            Reserve(Number(pieces));
            fixed (int* rows = _rows, columns = _columns)
            fixed (T* values = _values)
            fixed (long* lines = _lines)
            {
                var entries = new MatrixMarketEntries<T>(header, rows + _count, columns + _count, values + _count, KeepsLines ? lines + _count : null,
                    options.Lenient);
                Read(block.Text, pinned, entries, pieces, threads);
            }
        }
        Close(pieces);
        if (_count > header.StoredCount)
            throw new TensorFileException(file, LineNumber, $"{_count} entries where {header.StoredCount} were announced");
    }

    /// <summary>The matrix of all entries.</summary>
    /// <exception cref="TensorFileException">There are fewer than announced, more rows than allowed, or duplicates that are to be refused.</exception>
    public CsrMatrix<T> ToMatrix()
    {
        if (_count != header.StoredCount)
            throw new TensorFileException(file, LineNumber, $"{_count} entries where {header.StoredCount} were announced");
        CheckRows();
        if (header.IsArray)
            return MatrixMarketLayout.FromArray(header, _values, file, sizesLine);
        Span<int> rows = _rows.AsSpan(0, _count), columns = _columns.AsSpan(0, _count);
        CsrMatrix<T> matrix = MatrixMarketLayout.FromCoordinates<T>(header, rows, columns, _values.AsSpan(0, _count), file, sizesLine);
        if (matrix.HasDuplicates && KeepsLines)
            throw MatrixMarketLayout.FirstDuplicate(rows, columns, _lines, file);
        return matrix.HasDuplicates && options.Duplicates == DuplicateEntries.Sum ? CsrLayout.MergeDuplicates<T, EntrySum<T>>(matrix) : matrix;
    }

    private void CheckRows()
    {
        long most = options.MaxRows > 0 ? options.MaxRows : Math.Max(MatrixMarketOptions.RowsOfAnyFile, (long)MatrixMarketOptions.RowsPerEntry * _count);
        if (header.RowCount > most)
        {
            throw new TensorFileException(file, sizesLine,
                $"{header.RowCount} rows, whose pointers alone would take {(header.RowCount + 1L) * sizeof(long)} bytes, are announced for {_count} " +
                $"entries; {most} are allowed ({nameof(MatrixMarketOptions)}.{nameof(MatrixMarketOptions.MaxRows)} can allow more)");
        }
    }

    private void Read(byte* text, MatrixMarketPiece* pinned, in MatrixMarketEntries<T> entries, MatrixMarketPiece[] pieces, int threads)
    {
        var name = GCHandle.Alloc(file);
        try
        {
            var job = new MatrixMarketReadJob<T>(text, pinned, entries, name);
            RangeRunner.Run(job, pieces.Length, grain: 1, threads, options.Kernel.CancellationToken);
            int failed = Array.FindIndex(pieces, piece => piece.EntryCount < 0);
            if (failed >= 0)
                job.Read(failed);
        }
        finally
        {
            name.Free();
        }
    }

    private MatrixMarketPiece[] Cut(in MatrixMarketBlock block)
    {
        List<MatrixMarketPiece> pieces = [];
        for (long begin = block.Begin; begin < block.End;)
        {
            long cut = Math.Min(begin + PieceBytes, block.End);
            while (cut < block.End && block.Text[cut - 1] != (byte)'\n')
                cut++;
            if (cut - begin > int.MaxValue)
                throw new TensorFileException(file, null, begin, $"a line is longer than {int.MaxValue - PieceBytes} bytes");
            pieces.Add(new() { Begin = begin, End = cut });
            begin = cut;
        }
        return pieces.Count == 0 ? [default] : [.. pieces];
    }

    // The number of lines.
    private long Number(MatrixMarketPiece[] pieces)
    {
        long before = _lineCount;
        foreach (ref MatrixMarketPiece piece in pieces.AsSpan())
        {
            piece.FirstLine = LineNumber;
            _lineCount += piece.LineCount;
        }
        return _lineCount - before;
    }

    // A mapped file is one block, for which the arrays are made once; for further blocks they double.
    private void Reserve(long lines)
    {
        long needed = _count + lines;
        if (needed > Array.MaxLength)
            throw new TensorFileException(file, LineNumber, $"{needed} lines are more than an array holds elements ({Array.MaxLength})");
        if (needed <= _values.Length)
            return;
        int room = (int)Math.Min(Math.Max(needed, 2L * _values.Length), Array.MaxLength);
        Grow(ref _values, room);
        Grow(ref _rows, header.IsArray ? 0 : room);
        Grow(ref _columns, header.IsArray ? 0 : room);
        Grow(ref _lines, KeepsLines ? room : 0);
    }

    private void Grow<TElement>(ref TElement[] array, int length) where TElement : unmanaged
    {
        TElement[] grown = GC.AllocateUninitializedArray<TElement>(length);
        array.AsSpan(0, Math.Min(_count, length)).CopyTo(grown);
        array = grown;
    }

    // Lines without an entry leave gaps at the ends of pieces.
    private void Close(MatrixMarketPiece[] pieces)
    {
        int begin = _count;
        foreach (ref readonly MatrixMarketPiece piece in pieces.AsSpan())
        {
            int from = begin + (int)(piece.FirstLine - pieces[0].FirstLine), length = (int)piece.EntryCount;
            if (from != _count)
            {
                Move(_values, from, length);
                Move(_rows, from, length);
                Move(_columns, from, length);
                Move(_lines, from, length);
            }
            _count += length;
        }
    }

    private void Move<TElement>(TElement[] array, int from, int length)
    {
        if (array.Length > 0)
            array.AsSpan(from, length).CopyTo(array.AsSpan(_count));
    }
}
