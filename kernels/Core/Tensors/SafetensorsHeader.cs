using System.Buffers.Binary;
using System.Text.Json;

namespace Kernels.Core.Tensors;

/// <summary>
/// The head of a safetensors file, read and checked: the length of the header (8 bytes, little-endian), the header, a JSON object that gives each tensor's
/// dtype, shape and data_offsets (begin and end, counted from the end of the header), and strings under __metadata__. Elements follow without holes.
/// </summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataKey = "__metadata__", TypeKey = "dtype", ShapeKey = "shape", OffsetsKey = "data_offsets";

    /// <summary>Where the header begins.</summary>
    public const int Start = sizeof(ulong);

    /// <summary>The limit of the format's own implementation.</summary>
    public const int LargestHeader = 100_000_000;

    private readonly string _file;
    private readonly long _dataStart;
    private readonly long _dataLength;
    private readonly List<long> _numbers = [];

    private SafetensorsHeader(string file, long dataStart, long dataLength)
    {
        _file = file;
        _dataStart = dataStart;
        _dataLength = dataLength;
    }

    /// <summary>The tensors in the order of their elements.</summary>
    public List<TensorInfo> Tensors { get; } = [];

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the head of a file.</summary>
    /// <param name="file">The name for messages.</param>
    /// <param name="head">The file from its first byte on, at least to the end of the header if it is that long.</param>
    /// <param name="fileLength">The length of the whole file.</param>
    /// <exception cref="TensorFileException">The header is malformed, or the tensors do not fill the file without holes and overlaps.</exception>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> head, long fileLength)
    {
        if (fileLength < Start)
            throw new TensorFileException(file, null, 0, $"{fileLength} bytes are too few for a safetensors file");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(head);
        if (length > LargestHeader || (long)length > fileLength - Start)
            throw new TensorFileException(file, null, 0, FileKind.Name(head)
                ?? $"a header of {length} bytes does not fit a file of {fileLength}, or exceeds the limit of {LargestHeader}");
        var header = new SafetensorsHeader(file, Start + (long)length, fileLength - Start - (long)length);
        var reader = new Utf8JsonReader(head.Slice(Start, (int)length), new JsonReaderOptions { MaxDepth = 8 });
        try
        {
            header.ReadObject(ref reader);
        }
        // What the walk does not expect is an InvalidOperationException, and so are bytes that are not UTF-8.
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new TensorFileException(file, null, Start + reader.BytesConsumed, $"the header is not that of a safetensors file: {malformed.Message}",
                malformed);
        }
        header.CheckCoverage();
        return header;
    }

    private void ReadObject(ref Utf8JsonReader reader)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject);
        while (NextProperty(ref reader, out string name))
        {
            if (!names.Add(name))
                throw Fault(reader, name, "the name is there twice");
            if (name == MetadataKey)
                ReadMetadata(ref reader);
            else
                Tensors.Add(ReadTensor(ref reader, name));
        }
        if (reader.Read())
            throw new InvalidOperationException("something follows the object");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (NextProperty(ref reader, out string key))
        {
            Expect(ref reader, JsonTokenType.String);
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw Fault(reader, MetadataKey, $"{key} is there twice");
        }
    }

    private TensorInfo ReadTensor(ref Utf8JsonReader reader, string name)
    {
        long at = Start + reader.BytesConsumed;
        TensorType? type = null;
        long[]? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (NextProperty(ref reader, out string key))
        {
            bool isAgain = key switch { TypeKey => type is not null, ShapeKey => shape is not null, OffsetsKey => offsets is not null, _ => false };
            if (isAgain)
                throw Fault(reader, name, $"{key} is there twice");
            switch (key)
            {
                case TypeKey: type = ReadType(ref reader, name); break;
                case ShapeKey: shape = ReadNumbers(ref reader); break;
                case OffsetsKey: offsets = ReadNumbers(ref reader); break;
                default: reader.Skip(); break;
            }
        }
        if (type is null || shape is null || offsets is not [var begin, var end])
            throw new TensorFileException(_file, name, at, $"needs {TypeKey}, {ShapeKey} and two {OffsetsKey}");
        if (!TensorInfo.TryCount(shape, TensorTypes.Bits(type.Value), out _))
            throw new TensorFileException(_file, name, at,
                $"the shape [{string.Join(", ", shape)}] has more elements than there can be, or does not fill whole bytes");
        var tensor = new TensorInfo(name, type.Value, shape);
        if (begin > end || end > _dataLength || end - begin != tensor.ByteCount)
        {
            throw new TensorFileException(
                _file, name, at, $"offsets {begin} to {end} within {_dataLength} bytes of data do not hold [{string.Join(", ", shape)}] of " +
                $"{TensorTypes.SafetensorsName(type.Value)}");
        }
        return new TensorInfo(tensor, _dataStart + begin);
    }

    private TensorType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String);
        string type = reader.GetString()!;
        return TensorTypes.FromSafetensors(type) ?? throw Fault(reader, name, $"unknown element type {type}");
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartArray);
        _numbers.Clear();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw new InvalidOperationException("sizes and offsets are whole numbers from 0 to 2^63 - 1");
            _numbers.Add(number);
        }
        return [.. _numbers];
    }

    private static bool NextProperty(ref Utf8JsonReader reader, out string name)
    {
        reader.Read();
        bool isProperty = reader.TokenType == JsonTokenType.PropertyName;
        name = isProperty ? reader.GetString()! : "";
        return isProperty;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new InvalidOperationException($"{reader.TokenType} in the place of {type}");
    }

    private TensorFileException Fault(in Utf8JsonReader reader, string name, string reason) => new(_file, name, Start + reader.BytesConsumed, reason);

    private void CheckCoverage()
    {
        Tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteCount.CompareTo(b.ByteCount));
        long next = _dataStart;
        foreach (TensorInfo tensor in Tensors)
        {
            if (tensor.Offset != next)
                throw new TensorFileException(_file, tensor.Name, tensor.Offset, tensor.Offset < next ? "overlaps the tensor before it"
                    : $"a hole of {tensor.Offset - next} bytes lies before it");
            next += tensor.ByteCount;
        }
        if (next != _dataStart + _dataLength)
            throw new TensorFileException(_file, null, next, $"{_dataStart + _dataLength - next} bytes follow the last tensor");
    }
}
