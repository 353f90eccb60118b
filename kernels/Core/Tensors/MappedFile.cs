using System.IO.MemoryMappedFiles;

namespace Kernels.Core.Tensors;

/// <summary>Bytes of a file mapped for reading, from <see cref="Offset"/> on. The mapping ends with <see cref="Dispose"/>, or when it is garbage.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly bool _ownsFile;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private MappedFile(MemoryMappedFile file, bool ownsFile, string name, long offset, long length)
    {
        _file = file;
        _ownsFile = ownsFile;
        _view = file.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read);
        Name = name;
        Offset = offset;
        Length = length;
        // The view's handle ends the mapping; the pointer needs no count of its own.
        byte* page = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref page);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _start = page + _view.PointerOffset;
    }

    public string Name { get; }

    public long Offset { get; }

    public long Length { get; }

    /// <summary>The first byte; valid until the mapping ends.</summary>
    /// <exception cref="ObjectDisposedException">It has ended.</exception>
    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
            return _start;
        }
    }

    /// <summary>Maps a whole file.</summary>
    /// <exception cref="TensorFileException">It is empty.</exception>
    public static MappedFile Open(string path)
    {
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        long length = stream.Length;
        if (length == 0)
        {
            stream.Dispose();
            throw new TensorFileException(path, null, 0, "the file is empty");
        }
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        return new MappedFile(file, ownsFile: true, path, 0, length);
    }

    /// <summary>A mapping of a part of the file, which outlives this one if it likes.</summary>
    public MappedFile Part(long offset, long length) => new(_file, ownsFile: false, Name, offset, length);

    /// <summary>The bytes from a place in the file on, counted in elements.</summary>
    public ReadOnlySpan<T> Elements<T>(long offset, int count) where T : unmanaged => new(Start + (offset - Offset), count);

    public void Dispose()
    {
        _view.Dispose();
        if (_ownsFile)
            _file.Dispose();
    }
}
