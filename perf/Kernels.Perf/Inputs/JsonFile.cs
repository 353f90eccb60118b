using System.Text.Json;

namespace Kernels.Perf;

/// <summary>
/// Every array of numbers in a JSON file, under its path. An array may be nested lists of equal lengths; an object with shape, dtype (torch.float32) and
/// data (base64); or a property that all objects of a list have. null, which JSON writers put for it, is minus infinity.
/// </summary>
internal static class JsonFile
{
    private const string DataKey = "data";

    public static IReadOnlyList<InputTensor> Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            var tensors = new List<InputTensor>();
            Collect(path, "", document.RootElement, tensors);
            return tensors;
        }
        // InvalidOperationException: a name or text with half of a surrogate pair, which parses and cannot be read.
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new InputFormatException(path, malformed.Message);
        }
    }

    private static void Collect(string path, string name, JsonElement element, List<InputTensor> tensors)
    {
        if (element.ValueKind == JsonValueKind.Object && !TryEncoded(path, name, element, tensors))
        {
            foreach (JsonProperty property in element.EnumerateObject())
                Collect(path, property.Name == DataKey && name != "" ? name : Join(name, property.Name), property.Value, tensors);
        }
        else if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0)
        {
            if (element[0].ValueKind == JsonValueKind.Object)
                CollectColumns(name, element, tensors);
            else
                CollectNested(name == "" ? Path.GetFileName(path) : name, element, tensors);
        }
    }

    // { "shape": [2, 3], "dtype": "torch.float32", "data": "base64" }
    private static bool TryEncoded(string path, string name, JsonElement element, List<InputTensor> tensors)
    {
        if (!element.TryGetProperty("dtype", out JsonElement type) || !element.TryGetProperty("shape", out JsonElement shape)
            || !element.TryGetProperty(DataKey, out JsonElement data) || data.ValueKind != JsonValueKind.String)
            return false;
        if (type.ValueEquals("torch.float32"))
        {
            int[] dimensions = InputFile.Dimensions(path, name, shape);
            if (!data.TryGetBytesFromBase64(out byte[]? bytes))
                throw new InputFormatException(path, $"{name}: the data are not base64");
            float[] values = InputFile.Values<float>(bytes);
            if (InputFile.ElementCount(path, name, dimensions) != values.Length)
                throw new InputFormatException(path, $"{name}: {values.Length} numbers for [{string.Join(", ", dimensions)}]");
            tensors.Add(new InputTensor(name, dimensions, values));
        }
        return true;
    }

    // [{ "logit": 1, ... }, { "logit": 2, ... }]: each property that is a number or null everywhere.
    private static void CollectColumns(string name, JsonElement list, List<InputTensor> tensors)
    {
        foreach (string property in list[0].EnumerateObject().Select(property => property.Name))
        {
            JsonElement[] column = [.. list.EnumerateArray().Where(row => row.TryGetProperty(property, out _)).Select(row => row.GetProperty(property))];
            if (column.Length == list.GetArrayLength() && column.All(IsNumber))
                tensors.Add(new InputTensor(Join(name, property), [column.Length], Stored(column.Select(Number))));
        }
    }

    private static void CollectNested(string name, JsonElement list, List<InputTensor> tensors)
    {
        var dimensions = new List<int>();
        JsonElement inner = list;
        for (; inner.ValueKind == JsonValueKind.Array && inner.GetArrayLength() > 0; inner = inner[0])
            dimensions.Add(inner.GetArrayLength());
        var values = new List<double>();
        if (IsNumber(inner) && TryFlatten(list, dimensions, 0, values))
            tensors.Add(new InputTensor(name, dimensions, Stored(values)));
    }

    private static bool TryFlatten(JsonElement element, List<int> dimensions, int depth, List<double> values)
    {
        if (depth == dimensions.Count)
        {
            if (!IsNumber(element))
                return false;
            values.Add(Number(element));
            return true;
        }
        return element.ValueKind == JsonValueKind.Array && element.GetArrayLength() == dimensions[depth]
            && element.EnumerateArray().All(item => TryFlatten(item, dimensions, depth + 1, values));
    }

    private static bool IsNumber(JsonElement element) => element.ValueKind is JsonValueKind.Number or JsonValueKind.Null;

    private static double Number(JsonElement element) => element.ValueKind == JsonValueKind.Null ? double.NegativeInfinity : element.GetDouble();

    // Numbers that are floats, printed exactly, stay floats.
    private static Array Stored(IEnumerable<double> values)
    {
        double[] exact = [.. values];
        return Array.TrueForAll(exact, value => (float)value == value) ? Array.ConvertAll(exact, value => (float)value) : exact;
    }

    private static string Join(string name, string property) => name == "" ? property : $"{name}.{property}";
}
