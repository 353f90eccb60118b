using Microsoft.Win32.SafeHandles;

namespace Kernels.Core.Tensors;

/// <summary>A file that appears under its name only when it is whole: it is written beside it and renamed at the end.</summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private bool _isCommitted;

    public AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        // In the same folder, so that renaming does not copy; with a name of its own, so that two writers do not meet.
        _temporary = $"{_path}.{Guid.NewGuid():N}.tmp";
        Handle = File.OpenHandle(_temporary, FileMode.CreateNew, FileAccess.Write);
    }

    public SafeFileHandle Handle { get; }

    /// <summary>Hands the bytes to the disk and gives the file its name, in place of what had it.</summary>
    public void Commit()
    {
        RandomAccess.FlushToDisk(Handle);
        Handle.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _isCommitted = true;
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose()
    {
        Handle.Dispose();
        if (!_isCommitted)
            File.Delete(_temporary);
    }
}
