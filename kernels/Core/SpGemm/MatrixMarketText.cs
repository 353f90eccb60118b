using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Kernels.Core.SpGemm;

/// <summary>A text in blocks of whole lines, one after another; only one block is there at a time.</summary>
/// <param name="name">For messages.</param>
internal abstract unsafe class MatrixMarketText(string name) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>The next block; false if there is none.</summary>
    public abstract bool Next(out byte* block, out long length);

    public virtual void Dispose()
    {
    }
}

/// <summary>A text in memory: one block.</summary>
internal unsafe class MemoryText(byte* text, long length, string name) : MatrixMarketText(name)
{
    private byte* _text = text;
    private long _length = length;

    public override bool Next(out byte* block, out long length)
    {
        block = _text;
        length = _length;
        _text = null;
        _length = 0;
        return length > 0;
    }
}

/// <summary>A file that is mapped, not copied: one block.</summary>
internal sealed unsafe class MappedText(FileStream file, MemoryMappedFile map, MemoryMappedViewAccessor view, string name)
    : MemoryText(Acquire(view), file.Length, name)
{
    public static MappedText Of(FileStream file, string name)
    {
        MemoryMappedFile map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new(file, map, map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), name);
    }

    public override void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
        file.Dispose();
    }

    private static byte* Acquire(MemoryMappedViewAccessor view)
    {
        byte* text = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref text);
        return text + view.PointerOffset;
    }
}

/// <summary>A stream, read a block at a time: whatever it unpacks to, no more than a block of it is kept.</summary>
internal sealed unsafe class StreamText(Stream stream, string name) : MatrixMarketText(name)
{
    /// <summary>Enough pieces for all threads; no line may be longer.</summary>
    public const int BlockBytes = 1 << 24;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
    private int _begin, _end;

    public override bool Next(out byte* block, out long length)
    {
        int rest = _end - _begin;
        _buffer.AsSpan(_begin, rest).CopyTo(_buffer);
        _end = rest + stream.ReadAtLeast(_buffer.AsSpan(rest), _buffer.Length - rest, throwOnEndOfStream: false);
        // Less than a full buffer is the end, where the last line may lack its line feed.
        _begin = _end < _buffer.Length ? _end : _buffer.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (_begin == 0 && _end > 0)
            throw new TensorFileException(Name, null, null, $"a line is longer than {BlockBytes} bytes");
        block = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0);
        length = _begin;
        return length > 0;
    }

    public override void Dispose() => stream.Dispose();
}
