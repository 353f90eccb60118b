using System.Runtime.InteropServices;
using Kernels.Core.Threading;

namespace Kernels.Core.SpGemm;

/// <summary>A piece of a file's entries: whole lines.</summary>
internal struct MatrixMarketPiece
{
    public long Begin, End;

    /// <summary>Lines in it, and in the file before it.</summary>
    public long LineCount, FirstLine;

    /// <summary>Entries read, or -1 where a line was at fault.</summary>
    public long EntryCount;
}

/// <summary>Counts the lines of pieces.</summary>
internal readonly unsafe struct MatrixMarketLineJob(byte* text, MatrixMarketPiece* pieces) : IRangeJob
{
    private readonly byte* _text = text;
    private readonly MatrixMarketPiece* _pieces = pieces;

    public void Run(long begin, long end)
    {
        for (long i = begin; i < end; i++)
        {
            var piece = new ReadOnlySpan<byte>(_text + _pieces[i].Begin, (int)(_pieces[i].End - _pieces[i].Begin));
            _pieces[i].LineCount = piece.Count((byte)'\n') + (piece.IsEmpty || piece[^1] == (byte)'\n' ? 0 : 1);
        }
    }
}

/// <summary>Reads pieces, each to the places that its lines' numbers give.</summary>
internal readonly unsafe struct MatrixMarketReadJob<T>(byte* text, MatrixMarketPiece* pieces, MatrixMarketEntries<T> entries, GCHandle file) : IRangeJob
    where T : unmanaged
{
    private readonly byte* _text = text;
    private readonly MatrixMarketPiece* _pieces = pieces;
    private readonly MatrixMarketEntries<T> _entries = entries;
    private readonly GCHandle _file = file;

    public void Run(long begin, long end)
    {
        for (long i = begin; i < end; i++)
        {
            try
            {
                _pieces[i].EntryCount = Read(i);
            }
            catch (TensorFileException)
            {
                // The first fault in the file is the one to report, whoever finds one first.
                _pieces[i].EntryCount = -1;
            }
        }
    }

    /// <summary>Reads one piece.</summary>
    /// <exception cref="TensorFileException">A line is at fault.</exception>
    public long Read(long piece)
    {
        ref MatrixMarketPiece own = ref _pieces[piece];
        var lines = new MatrixMarketLines(new ReadOnlySpan<byte>(_text + own.Begin, (int)(own.End - own.Begin)), (string)_file.Target!, own.FirstLine);
        return _entries.Read(ref lines, own.FirstLine - _pieces[0].FirstLine);
    }
}
