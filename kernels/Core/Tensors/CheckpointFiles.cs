using System.Text.Json;

namespace Kernels;

/// <summary>The tensors of a checkpoint: one safetensors file, or the shards that a model.safetensors.index.json names; shards are mapped when a tensor of theirs is asked for.</summary>
internal sealed class CheckpointFiles : IDisposable
{
    private const string FileName = "model.safetensors", IndexName = FileName + ".index.json", MapKey = "weight_map";

    private readonly string _path;
    private readonly Dictionary<string, string>? _fileOfTensor;
    private readonly Dictionary<string, SafetensorsReader> _readers = new(StringComparer.Ordinal);

    private CheckpointFiles(string path, Dictionary<string, string>? fileOfTensor)
    {
        _path = path;
        _fileOfTensor = fileOfTensor;
    }

    /// <summary>Opens a safetensors file, an index, or a folder with either under its usual name.</summary>
    /// <exception cref="KernelFormatException">A file or the index is malformed.</exception>
    public static CheckpointFiles Open(string path)
    {
        if (Directory.Exists(path))
            path = Path.Combine(path, File.Exists(Path.Combine(path, IndexName)) ? IndexName : FileName);
        var files = new CheckpointFiles(path, path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ReadIndex(path, File.ReadAllBytes(path)) : null);
        if (files._fileOfTensor is null)
            files.Reader(path);
        return files;
    }

    /// <summary>The file that holds a tensor; null if none does.</summary>
    /// <exception cref="KernelFormatException">The index names a file that lacks it, or that is malformed.</exception>
    public SafetensorsReader? Find(string name)
    {
        string? file = _path;
        if (_fileOfTensor is not null && !_fileOfTensor.TryGetValue(name, out file))
            return null;
        SafetensorsReader reader = Reader(file);
        if (reader.TryFind(name, out _))
            return reader;
        return _fileOfTensor is null ? null : throw new KernelFormatException(_path, name, null, $"the index says {file}, which has no such tensor");
    }

    /// <summary>The file that holds a tensor.</summary>
    /// <exception cref="KernelFormatException">None does.</exception>
    public SafetensorsReader Get(string name) => Find(name) ?? throw new KernelFormatException(_path, name, null, "there is no such tensor");

    public void Dispose()
    {
        foreach (SafetensorsReader reader in _readers.Values)
            reader.Dispose();
    }

    private SafetensorsReader Reader(string file)
    {
        if (!_readers.TryGetValue(file, out SafetensorsReader? reader))
            _readers.Add(file, reader = SafetensorsReader.Open(file));
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
                if (file.Length == 0 || Path.GetFileName(file) != file || file.Contains('\\', StringComparison.Ordinal))
                    throw new KernelFormatException(path, entry.Name, null, $"'{file}' is no file beside the index");
                if (!files.TryAdd(entry.Name, Path.Combine(Path.GetDirectoryName(path) ?? "", file)))
                    throw new KernelFormatException(path, entry.Name, null, "the name is there twice");
            }
            return files;
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new KernelFormatException(path, null, null, $"this is not the index of a checkpoint: {malformed.Message}", malformed);
        }
    }
}
