namespace Kernels.Core.Tensors;

/// <summary>Weights that files hold as they lie in memory.</summary>
internal interface IPackedWeights
{
    long ByteCount { get; }

    /// <summary>What the bytes are: kind, version, format and sizes.</summary>
    string Description { get; }

    PackedLease Acquire();
}

/// <summary>
/// Packed weights in a safetensors file: each matrix is a tensor of bytes exactly as they stand in memory, and the metadata under its name describe it.
/// </summary>
internal readonly struct PackedTensor : IDisposable
{
    private readonly SafetensorsReader _reader;
    private readonly TensorInfo _tensor;

    private PackedTensor(SafetensorsReader reader, TensorInfo tensor)
    {
        _reader = reader;
        _tensor = tensor;
    }

    /// <summary>Empty where there is none.</summary>
    public string Description => _reader.Metadata.GetValueOrDefault(_tensor.Name, "");

    /// <exception cref="TensorFileException">The file is malformed or has no such tensor.</exception>
    public static PackedTensor Open(string path, string name)
    {
        SafetensorsReader reader = SafetensorsReader.Open(path);
        try
        {
            return new PackedTensor(reader, reader.Find(name));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public static unsafe void Save<TWeights>(string path, IReadOnlyDictionary<string, TWeights> weights) where TWeights : IPackedWeights
    {
        using SafetensorsWriter writer = SafetensorsWriter.Create(
            path,
            weights.Select(pair => new TensorInfo(pair.Key, TensorType.UInt8, pair.Value.ByteCount)),
            weights.ToDictionary(pair => pair.Key, pair => pair.Value.Description));
        foreach ((string name, TWeights matrix) in weights)
        {
            using PackedLease packed = matrix.Acquire();
            writer.Write(name, new ReadOnlySpan<byte>(packed.Start, checked((int)matrix.ByteCount)));
        }
        writer.Commit();
    }

    /// <summary>The bytes as the file has them, mapped.</summary>
    /// <exception cref="TensorFileException">They are not as many, or do not lie at whole cache lines.</exception>
    public unsafe PackedMemory Map(long byteCount)
    {
        Check(byteCount);
        if (_tensor.Offset % PackedMemory.Alignment != 0)
            throw Fault($"the bytes begin at no multiple of {PackedMemory.Alignment}, as other programs may write them: they can be loaded, not mapped");
        MappedFile file = _reader.Map(_tensor);
        return PackedMemory.Borrow((nint)file.Start, byteCount, file, file.Dispose);
    }

    /// <summary>The bytes read into pages of their own.</summary>
    /// <exception cref="TensorFileException">They are not as many.</exception>
    public PackedMemory Load(long byteCount)
    {
        Check(byteCount);
        PackedMemory memory = PackedMemory.Allocate(byteCount);
        memory.WriteSpan(0, _reader.Elements<byte>(_tensor.Name));
        return memory;
    }

    public TensorFileException Fault(string reason) => new(_reader.FileName, _tensor.Name, _tensor.Offset, reason);

    public void Dispose() => _reader.Dispose();

    private void Check(long byteCount)
    {
        if (_tensor.Type != TensorType.UInt8 || _tensor.ByteCount != byteCount)
            throw Fault($"{_tensor.ByteCount} bytes, but '{Description}' takes {byteCount}");
    }
}
