using System.Buffers.Binary;
using System.Text.Json;

namespace Kernels.Perf;

/// <summary>
/// The safetensors format: the length of the header (8 bytes little-endian), the header, a JSON object that gives each tensor's dtype, shape and
/// data_offsets from the end of the header, and the elements. Tensors of integers are left out.
/// </summary>
internal static class SafetensorsFile
{
    private const string MetadataKey = "__metadata__";

    public static IReadOnlyList<InputTensor> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        ulong headerLength = file.Length >= sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(file) : ulong.MaxValue;
        if (headerLength > (ulong)(file.Length - sizeof(ulong)))
            throw new InputFormatException(path, "the file is shorter than its header says");
        int dataStart = sizeof(ulong) + (int)headerLength;
        try
        {
            using JsonDocument header = JsonDocument.Parse(file.AsMemory(sizeof(ulong), (int)headerLength));
            return [.. header.RootElement.EnumerateObject().Where(entry => entry.Name != MetadataKey)
                .Select(entry => Tensor(path, entry, file.AsSpan(dataStart))).OfType<InputTensor>()];
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException or FormatException and not InputFormatException)
        {
            throw new InputFormatException(path, $"the header is not that of a safetensors file: {malformed.Message}");
        }
    }

    private static InputTensor? Tensor(string path, JsonProperty entry, ReadOnlySpan<byte> data)
    {
        string type = entry.Value.GetProperty("dtype").GetString() ?? "";
        int elementBytes = type switch { "F16" or "BF16" => 2, "F32" => 4, "F64" => 8, _ => 0 };
        if (elementBytes == 0)
            return null;
        int[] dimensions = InputFile.Dimensions(path, entry.Name, entry.Value.GetProperty("shape"));
        long[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
        long bytes = (long)InputFile.ElementCount(path, entry.Name, dimensions) * elementBytes;
        if (offsets is not [var begin, var end] || begin < 0 || end > data.Length || end - begin != bytes)
            throw new InputFormatException(path, $"{entry.Name}: offsets [{string.Join(", ", offsets)}] in {data.Length} bytes of data do not hold its {bytes} bytes");
        ReadOnlySpan<byte> elements = data[(int)begin..(int)end];
        return new InputTensor(entry.Name, dimensions, type switch
        {
            "F16" => InputFile.Values<Half>(elements),
            "BF16" => InputFile.Values<BFloat16>(elements),
            "F32" => InputFile.Values<float>(elements),
            _ => InputFile.Values<double>(elements),
        });
    }
}
