using System.Runtime.InteropServices;

namespace Kernels;

/// <summary>From a text in memory to a matrix: header, pieces of lines parsed by several threads, symmetric entries mirrored, rows compressed.</summary>
internal static unsafe class MatrixMarketReader
{
    // Large enough for handing them out not to show, small enough for all threads to end together.
    private const long PieceBytes = 1 << 20;

    // No header with its comments is longer.
    private const int MostHeaderBytes = 1 << 26;

    public static MatrixMarketHeader ReadHeader(byte* text, long length, string file, bool isLenient, out long position, out long lineNumber)
    {
        var head = new ReadOnlySpan<byte>(text, (int)Math.Min(length, MostHeaderBytes));
        var lines = new MatrixMarketLines(head, file, 0) { IsLenient = isLenient };
        MatrixMarketHeader header = MatrixMarketHeader.Parse(ref lines);
        (position, lineNumber) = (lines.Position, lines.LineNumber);
        return header;
    }

    public static CsrMatrix<T> Read<T>(byte* text, long length, string file, in MatrixMarketOptions options) where T : unmanaged, IEquatable<T>
    {
        SparseElement.Token<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Kernel.MaxDegreeOfParallelism, nameof(KernelOptions.MaxDegreeOfParallelism));
        MatrixMarketHeader header = ReadHeader(text, length, file, options.Lenient, out long position, out long lineNumber);
        if (!MatrixMarketValue.CanRead<T>(header.Field))
            throw new KernelFormatException(file, 1, $"{header.Field.ToString().ToLowerInvariant()} values cannot be read as {SparseElement.Token<T>()}");
        MatrixMarketPiece[] pieces = Cut(text, position, length);
        fixed (MatrixMarketPiece* pinned = pieces)
        {
            int threads = ThreadCount(options.Kernel);
            RangeRunner.Run(new MatrixMarketLineJob(text, pinned), pieces.Length, grain: 1, threads, options.Kernel.CancellationToken);
            long lines = Number(pieces, lineNumber);
            int room = CsrChecks.ArrayLength(lines);
            (int[] rows, int[] columns, T[] values) = (GC.AllocateUninitializedArray<int>(header.IsArray ? 0 : room), GC.AllocateUninitializedArray<int>(header.IsArray ? 0 : room), GC.AllocateUninitializedArray<T>(room));
            fixed (int* rowPointer = rows, columnPointer = columns)
            fixed (T* valuePointer = values)
            {
                var name = GCHandle.Alloc(file);
                try
                {
                    var job = new MatrixMarketReadJob<T>(text, pinned, new MatrixMarketEntries<T>(header, rowPointer, columnPointer, valuePointer), name);
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
            int count = Close(pieces, header.IsArray, rows, columns, values);
            if (count != header.StoredCount)
                throw new KernelFormatException(file, lineNumber + lines, $"{count} entries where {header.StoredCount} were announced");
            return header.IsArray
                ? MatrixMarketLayout.FromArray(header, values)
                : MatrixMarketLayout.FromCoordinates(header, rows.AsSpan(0, count), columns.AsSpan(0, count), values.AsSpan(0, count), options.Duplicates, file);
        }
    }

    public static int ThreadCount(in KernelOptions options) => options.MaxDegreeOfParallelism > 0 ? options.MaxDegreeOfParallelism : MachineInfo.Current.ProcessorCount;

    private static MatrixMarketPiece[] Cut(byte* text, long begin, long end)
    {
        List<MatrixMarketPiece> pieces = [];
        while (begin < end)
        {
            long cut = Math.Min(begin + PieceBytes, end);
            while (cut < end && text[cut - 1] != (byte)'\n')
                cut++;
            pieces.Add(new() { Begin = begin, End = cut });
            begin = cut;
        }
        return pieces.Count == 0 ? [default] : [.. pieces];
    }

    private static long Number(MatrixMarketPiece[] pieces, long lineNumber)
    {
        long lines = 0;
        foreach (ref MatrixMarketPiece piece in pieces.AsSpan())
        {
            piece.FirstLine = lineNumber + lines;
            lines += piece.LineCount;
        }
        return lines;
    }

    // Blank lines leave gaps at the ends of pieces.
    private static int Close<T>(MatrixMarketPiece[] pieces, bool isArray, int[] rows, int[] columns, T[] values)
    {
        int count = 0;
        foreach (ref readonly MatrixMarketPiece piece in pieces.AsSpan())
        {
            int from = (int)(piece.FirstLine - pieces[0].FirstLine), length = (int)piece.EntryCount;
            if (from != count)
            {
                if (!isArray)
                {
                    rows.AsSpan(from, length).CopyTo(rows.AsSpan(count));
                    columns.AsSpan(from, length).CopyTo(columns.AsSpan(count));
                }
                values.AsSpan(from, length).CopyTo(values.AsSpan(count));
            }
            count += length;
        }
        return count;
    }
}
