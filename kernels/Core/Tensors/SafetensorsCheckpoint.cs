using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>
/// The tensors of a checkpoint: one safetensors file, or the shards that a model.safetensors.index.json names; shards are mapped when a tensor of theirs is
/// asked for.
/// </summary>
/// <remarks>Shards stand beside their index and nowhere else. Not for several threads at a time; the files that it hands out are.</remarks>
public sealed class SafetensorsCheckpoint : IDisposable
{
    private const string SingleName = "model.safetensors", IndexName = SingleName + ".index.json", MapKey = "weight_map";

    private readonly Dictionary<string, string>? _fileOfTensor;
    private readonly Dictionary<string, SafetensorsReader> _readers = new(StringComparer.Ordinal);
    private bool _isDisposed;

    private SafetensorsCheckpoint(string path, Dictionary<string, string>? fileOfTensor)
    {
        FileName = path;
        _fileOfTensor = fileOfTensor;
    }

    /// <summary>The file or the index.</summary>
    public string FileName { get; }

    /// <summary>The file, mapped, if it is one and no index.</summary>
    internal SafetensorsReader? Single => _fileOfTensor is null ? Reader(FileName) : null;

    /// <summary>The bytes of all files that are mapped so far.</summary>
    public long MappedBytes => _readers.Values.Sum(reader => reader.ByteCount);

    /// <summary>
    /// Opens a safetensors file, an index, or a folder with either under its usual name; where both are there, the file, which is whole, as transformers does.
    /// </summary>
    /// <param name="path">The file, index or folder.</param>
    /// <exception cref="TensorFileException">A file or the index is malformed, or the index names a file that is not beside it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SafetensorsCheckpoint Open(string path)
    {
        if (Directory.Exists(path))
            path = Path.Combine(path, File.Exists(Path.Combine(path, IndexName)) && !File.Exists(Path.Combine(path, SingleName)) ? IndexName : SingleName);
        var files = new SafetensorsCheckpoint(path, path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ReadIndex(path, File.ReadAllBytes(path))
            : null);
        if (files._fileOfTensor is null)
            files.Reader(path);
        return files;
    }

    /// <summary>Looks for the file that holds a tensor, and maps it.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="file">Its file; null if there is no such tensor.</param>
    /// <exception cref="TensorFileException">The index names a file that is not there, lacks the tensor, or is malformed.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint was closed.</exception>
    public bool TryFind(string name, [NotNullWhen(true)] out SafetensorsReader? file)
    {
        file = null;
        string? path = FileName;
        if (_fileOfTensor is not null && !_fileOfTensor.TryGetValue(name, out path))
            return false;
        if (_fileOfTensor is not null && !File.Exists(path))
            throw new TensorFileException(FileName, name, null, $"the index says {path}, which is not there");
        SafetensorsReader reader = Reader(path);
        if (reader.TryFind(name, out _))
            file = reader;
        else if (_fileOfTensor is not null)
            throw new TensorFileException(FileName, name, null, $"the index says {path}, which has no such tensor");
        return file is not null;
    }

    /// <summary>The file that holds a tensor, mapped.</summary>
    /// <param name="name">The tensor.</param>
    /// <exception cref="TensorFileException">There is no such tensor, or as for <see cref="TryFind"/>.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint was closed.</exception>
    public SafetensorsReader Find(string name) => TryFind(name, out SafetensorsReader? file) ? file
        : throw new TensorFileException(FileName, name, null, "there is no such tensor");

    /// <summary>Ends all mappings; spans over them may not be used any more.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (SafetensorsReader reader in _readers.Values)
            reader.Dispose();
    }

    private SafetensorsReader Reader(string path)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_readers.TryGetValue(path, out SafetensorsReader? reader))
            _readers.Add(path, reader = SafetensorsReader.Open(path));
        return reader;
    }

    // {"metadata": {...}, "weight_map": {"tensor": "file"}}: files stand beside the index and nowhere else.
    internal static Dictionary<string, string> ReadIndex(string path, byte[] json)
    {
        try
        {
            using JsonDocument index = JsonDocument.Parse(json);
            var files = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty entry in index.RootElement.GetProperty(MapKey).EnumerateObject())
            {
                string file = entry.Value.GetString() ?? "";
                if (file is "" or "." or ".." || file.AsSpan().ContainsAny('/', '\\', '\0'))
                    throw new TensorFileException(path, entry.Name, null, $"'{file}' is no file beside the index");
                if (!files.TryAdd(entry.Name, Path.Combine(Path.GetDirectoryName(path) ?? "", file)))
                    throw new TensorFileException(path, entry.Name, null, "the name is there twice");
            }
            return files;
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new TensorFileException(path, null, null, FileKind.Name(json) ?? $"this is not the index of a checkpoint: {malformed.Message}", malformed);
        }
    }
}
