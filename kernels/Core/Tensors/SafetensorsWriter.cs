using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>
/// Writes a safetensors file: tensors are declared at first, so that the header is known, and their elements follow one by one, in any order, without a copy in
/// memory.
/// </summary>
/// <remarks>
/// The file appears under its name with <see cref="Commit"/>, whole; without it, <see cref="Dispose"/> leaves nothing behind. Elements begin at a multiple of
/// 64 bytes, and each tensor at a multiple of the largest power of two, at most 64, that divides its size: so a tensor of whole cache lines is mapped aligned,
/// and the format's rule that there be no holes is kept.
/// </remarks>
public sealed class SafetensorsWriter : IDisposable
{
    internal const int Alignment = 64;

    private readonly AtomicFile _file;
    private readonly Dictionary<string, TensorInfo> _missing;

    private SafetensorsWriter(AtomicFile file, IEnumerable<TensorInfo> tensors)
    {
        _file = file;
        _missing = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Where it will stand; what stands there is replaced by <see cref="Commit"/>.</param>
    /// <param name="tensors">The tensors' names, types and shapes, each name once; __metadata__ is no name.</param>
    /// <param name="metadata">Strings for __metadata__; null for none.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static SafetensorsWriter Create(string path, IEnumerable<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Descending alignment: each tensor's size is a multiple of the alignment of all that follow it.
        TensorInfo[] ordered = [.. tensors.OrderByDescending(tensor => AlignmentOf(tensor.ByteCount))];
        string? twice = ordered.Select(tensor => tensor.Name).Append(SafetensorsHeader.MetadataKey).CountBy(name => name)
            .FirstOrDefault(name => name.Value > 1).Key;
        if (twice is not null)
            throw new ArgumentException($"{twice} cannot be the name of a tensor twice, or at all", nameof(tensors));
        byte[] header = Header(ordered, metadata ?? new Dictionary<string, string>());
        var file = new AtomicFile(path);
        try
        {
            RandomAccess.Write(file.Handle, header, 0);
            long offset = header.Length;
            for (int i = 0; i < ordered.Length; offset += ordered[i++].ByteCount)
                ordered[i] = new TensorInfo(ordered[i], offset);
            return new SafetensorsWriter(file, ordered);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes all elements of a declared tensor.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="elements">Its elements, row-major.</param>
    /// <typeparam name="T">The declared type; <see cref="byte"/> also stands for types of one byte and for those that .NET lacks.</typeparam>
    /// <exception cref="ArgumentException">The tensor was not declared or is written already, or it has another type or number of elements.</exception>
    public void Write<T>(string name, ReadOnlySpan<T> elements) where T : unmanaged
    {
        if (!_missing.TryGetValue(name, out TensorInfo? tensor))
            throw new ArgumentException($"{name} was not declared, or is written already", nameof(name));
        if (!TensorTypes.IsReadAs<T>(tensor.Type) || tensor.CountOf<T>() != elements.Length)
            throw new ArgumentException($"{elements.Length} elements of {typeof(T).Name} for {name}, declared as {tensor.ShapeText} of {tensor.Type}",
                nameof(elements));
        RandomAccess.Write(_file.Handle, MemoryMarshal.AsBytes(elements), tensor.Offset);
        _missing.Remove(name);
    }

    /// <summary>Finishes the file: it stands under its name when this returns.</summary>
    /// <exception cref="InvalidOperationException">A declared tensor has not been written.</exception>
    public void Commit()
    {
        if (_missing.Count > 0)
            throw new InvalidOperationException($"{_missing.Keys.First()} has not been written");
        _file.Commit();
    }

    /// <summary>Ends writing; without <see cref="Commit"/> no file remains.</summary>
    public void Dispose() => _file.Dispose();

    private static int AlignmentOf(long bytes) => 1 << Math.Min(BitOperations.TrailingZeroCount(bytes), BitOperations.Log2(Alignment));

    private static byte[] Header(TensorInfo[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var json = new MemoryStream();
        json.Write(stackalloc byte[SafetensorsHeader.Start]);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
                WriteMetadata(writer, metadata);
            long offset = 0;
            foreach (TensorInfo tensor in tensors)
                WriteTensor(writer, tensor, ref offset);
            writer.WriteEndObject();
        }
        while (json.Length % Alignment != 0)
            json.WriteByte((byte)' ');
        byte[] header = json.ToArray();
        if (header.Length - SafetensorsHeader.Start > SafetensorsHeader.LargestHeader)
            throw new ArgumentException($"a header of {header.Length} bytes exceeds the limit of {SafetensorsHeader.LargestHeader}", nameof(tensors));
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)(header.Length - SafetensorsHeader.Start));
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject(SafetensorsHeader.MetadataKey);
        foreach ((string key, string value) in metadata)
            writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter writer, TensorInfo tensor, ref long offset)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString(SafetensorsHeader.TypeKey, TensorTypes.SafetensorsName(tensor.Type));
        writer.WriteStartArray(SafetensorsHeader.ShapeKey);
        foreach (long dimension in tensor.Shape)
            writer.WriteNumberValue(dimension);
        writer.WriteEndArray();
        writer.WriteStartArray(SafetensorsHeader.OffsetsKey);
        writer.WriteNumberValue(offset);
        offset += tensor.ByteCount;
        writer.WriteNumberValue(offset);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
