using System.Text.Json;
using Kernels.Core.Tensors;

namespace TinyLlama;

/// <summary>A value of a JSON file; what is not as it should be is refused with the file and the place in it.</summary>
internal readonly struct JsonValue
{
    private readonly string _file;
    private readonly string _place;
    private readonly JsonElement _element;

    private JsonValue(string file, string place, JsonElement element) => (_file, _place, _element) = (file, place, element);

    public static JsonValue Read(string file)
    {
        try
        {
            return new JsonValue(file, "", JsonElement.Parse(PythonJson.Quote(File.ReadAllBytes(file))));
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"{file}: {malformed.Message}", malformed);
        }
    }

    public JsonValue this[string name] => Find(name) ?? throw Fault($"there is no {name}");

    public string Text => Guarded(JsonValueKind.String, "a string", element => element.GetString()!);

    public bool Flag => _element.ValueKind is JsonValueKind.True or JsonValueKind.False ? _element.GetBoolean() : throw Fault("this is neither true nor false");

    public int Integer => _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out int value) ? value
        : throw Fault("this is not an integer of 32 bits");

    public float Positive => _element.ValueKind == JsonValueKind.Number && _element.TryGetSingle(out float value) && value > 0 && float.IsFinite(value) ? value
        : throw Fault("this is not a positive number");

    public bool IsText => _element.ValueKind == JsonValueKind.String;

    /// <summary>Whether this is an object without properties, or false.</summary>
    public bool IsEmpty => _element.ValueKind == JsonValueKind.False || (_element.ValueKind == JsonValueKind.Object && _element.GetPropertyCount() == 0);

    public bool IsArray => _element.ValueKind == JsonValueKind.Array;

    public JsonValue[] Items
    {
        get
        {
            JsonValue self = this;
            return Guarded(JsonValueKind.Array, "an array", element => element.EnumerateArray()
                .Select((item, i) => new JsonValue(self._file, $"{self._place}[{i}]", item)).ToArray());
        }
    }

    public (string Name, JsonValue Value)[] Properties
    {
        get
        {
            JsonValue self = this;
            return Guarded(JsonValueKind.Object, "an object", element => element.EnumerateObject()
                .Select(property => (property.Name, self.Child(property.Name, property.Value))).ToArray());
        }
    }

    /// <summary>A property, unless it is absent or null.</summary>
    public JsonValue? Find(string name)
    {
        if (_element.ValueKind != JsonValueKind.Object)
            throw Fault("this is not an object");
        JsonElement? found = null;
        foreach (JsonProperty property in _element.EnumerateObject())
        {
            if (!property.NameEquals(name))
                continue;
            if (found is { } before && !JsonElement.DeepEquals(before, property.Value))
                throw Child(name, before).Fault("this is there twice, and not the same");
            found = property.Value;
        }
        return found is { ValueKind: not JsonValueKind.Null } value ? Child(name, value) : null;
    }

    /// <summary>Whether a property is there, if only as null.</summary>
    public bool Has(string name) => _element.ValueKind == JsonValueKind.Object && _element.TryGetProperty(name, out _);

    public InvalidDataException Fault(string reason) => new($"{_file}: {(_place.Length == 0 ? "" : _place + ": ")}{reason}");

    private JsonValue Child(string name, JsonElement value) => new(_file, _place.Length == 0 ? name : $"{_place}.{name}", value);

    // Strings may hold escapes that are no characters, which is noticed when they are read.
    private T Guarded<T>(JsonValueKind kind, string name, Func<JsonElement, T> read)
    {
        if (_element.ValueKind != kind)
            throw Fault($"this is not {name}");
        try
        {
            return read(_element);
        }
        catch (InvalidOperationException malformed)
        {
            throw Fault(malformed.Message);
        }
    }
}
