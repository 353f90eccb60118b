using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kernels.Perf;

/// <summary>Reads arrays of numbers from the formats that models and their outputs come in, by the file's extension.</summary>
internal static class InputFile
{
    public static IReadOnlyList<InputTensor> Read(string path)
    {
        try
        {
            IReadOnlyList<InputTensor> tensors = Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".npy" => [TensorFiles.ReadNpy(path)],
                ".safetensors" => TensorFiles.ReadSafetensors(path),
                ".json" => JsonFile.Read(path),
                var other => throw new InputFormatException(path, $"'{other}' is none of .npy, .safetensors and .json"),
            };
            if (tensors.Count == 0)
                throw new InputFormatException(path, "there are no arrays of floating-point numbers in it");
            string? twice = tensors.CountBy(tensor => tensor.Name).FirstOrDefault(name => name.Value > 1).Key;
            return twice is null ? tensors : throw new InputFormatException(path, $"{twice} is there more than once");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InputFormatException(path, unreadable.Message);
        }
        catch (TensorFileException malformed)
        {
            throw new InputFormatException(malformed);
        }
    }

    /// <summary>Little-endian bytes as an array.</summary>
    public static T[] Values<T>(ReadOnlySpan<byte> bytes) where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes).ToArray();

    /// <summary>A JSON list of sizes.</summary>
    public static int[] Dimensions(string path, string name, JsonElement shape)
    {
        var dimensions = new List<int>();
        foreach (JsonElement size in shape.ValueKind == JsonValueKind.Array ? shape.EnumerateArray() : default)
        {
            if (size.ValueKind != JsonValueKind.Number || !size.TryGetInt32(out int dimension))
                throw new InputFormatException(path, $"{name}: {size} is not the size of a dimension");
            dimensions.Add(dimension);
        }
        return [.. dimensions];
    }

    /// <summary>The product of dimensions, each at least 1.</summary>
    /// <exception cref="InputFormatException">A dimension is less, there is none, or the product exceeds what an array can hold.</exception>
    public static int ElementCount(string path, string name, IReadOnlyList<int> dimensions)
    {
        long count = dimensions.Count > 0 ? 1 : 0;
        foreach (int dimension in dimensions)
        {
            count *= Math.Max(dimension, 0);
            if (count > Array.MaxLength)
                throw new InputFormatException(path, $"{name} has more elements than an array can hold");
        }
        return count > 0 ? (int)count : throw new InputFormatException(path, $"{name} is empty or a single number: [{string.Join(", ", dimensions)}]");
    }
}
