using System.Globalization;
using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>
/// The strings of a checkpoint, which say what its tensors make up. Nothing in the file is believed: sizes are held against its length before memory is asked
/// for.
/// </summary>
internal sealed class CheckpointMetadata
{
    public const string Sequences = "sequences", Length = "length", Rate = "rate", RandomState = "random_state", TextHash = "text_sha256", History = "history";

    /// <summary>Enough for any count, and small enough that products of two of them fit.</summary>
    public const int LargestCount = 1 << 20;

    private const string Format = "format", FormatName = "char-rnn 1", Alphabet = "alphabet", Cell = "cell", Hidden = "hidden", Layers = "layers";

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _entries;

    private readonly int _tensorCount;

    private CheckpointMetadata(string path, SafetensorsReader reader) => (_path, _entries, _tensorCount) = (path, reader.Metadata, reader.Tensors.Count);

    /// <summary>What is to be written for a model.</summary>
    public static IReadOnlyDictionary<string, string> Of(CharacterModel model) => new Dictionary<string, string>
    {
        [Format] = FormatName,
        [Alphabet] = model.Alphabet,
        [Cell] = $"{model.Shape.Cell}",
        [Hidden] = model.Shape.HiddenCount.ToString(CultureInfo.InvariantCulture),
        [Layers] = model.Shape.LayerCount.ToString(CultureInfo.InvariantCulture),
    };

    /// <exception cref="TensorFileException">It is no sound safetensors file.</exception>
    /// <exception cref="InvalidDataException">It is another program's.</exception>
    public static CheckpointMetadata Read(string path)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        var metadata = new CheckpointMetadata(path, reader);
        if (!reader.Metadata.TryGetValue(Format, out string? format) || format != FormatName)
            throw metadata.Error(Format, $"is '{format}', not '{FormatName}': this is no checkpoint of this program");
        return metadata;
    }

    /// <summary>A checkpoint's model.</summary>
    /// <exception cref="InvalidDataException">The metadata are none of this program's, or a weight is not finite.</exception>
    /// <exception cref="TensorFileException">The file is broken, or a tensor is missing or of another shape.</exception>
    public static CharacterModel LoadModel(string path)
    {
        CheckpointMetadata metadata = Read(path);
        CharacterModel model = metadata.CreateModel();
        Checkpoint.Load(path, model.Parameters);
        metadata.CheckFinite(model);
        return model;
    }

    /// <summary>A model of that shape, with fresh weights.</summary>
    public CharacterModel CreateModel()
    {
        string alphabet = Text(Alphabet);
        if (alphabet.Length == 0 || alphabet.Distinct().Count() != alphabet.Length)
            throw Error(Alphabet, "is empty or has a character twice");
        var shape = new ModelShape(Parse(Cell, Enum.Parse<CellKind>), Number(Hidden, LargestCount), Number(Layers, LargestCount));
        if (!Enum.IsDefined(shape.Cell))
            throw Error(Cell, $"is {shape.Cell}, which is no cell of this program");
        if (shape.LayerCount > _tensorCount)
            throw Error(Layers, $"{shape.LayerCount} of them need more than the {_tensorCount} tensors of the file");
        // A lower bound of a model's elements: all of its matrices with one gate.
        long hidden = shape.HiddenCount, elements = (hidden + alphabet.Length) * CharacterModel.EmbeddingElements + (shape.LayerCount - 1) * hidden * hidden;
        if (elements > new FileInfo(_path).Length / sizeof(float))
            throw Error(Hidden, $"{hidden} channels in {shape.LayerCount} layers need more than the whole file");
        return new CharacterModel(shape, alphabet, seed: 0);
    }

    public void CheckFinite(CharacterModel model)
    {
        foreach (Parameter parameter in model.Parameters)
        {
            if (!Array.TrueForAll(parameter.Values, float.IsFinite))
                throw new InvalidDataException($"{_path}: {parameter.Name}: a weight is not finite");
        }
    }

    public string Text(string key) => _entries.TryGetValue(key, out string? text) ? text : throw Error(key, "is missing");

    /// <summary>A whole number from 1 on.</summary>
    public int Number(string key, int largest)
    {
        int number = Parse(key, text => int.Parse(text, CultureInfo.InvariantCulture));
        return number >= 1 && number <= largest ? number : throw Error(key, $"is {number}: 1 to {largest} is possible");
    }

    /// <summary>A finite number from 0 on.</summary>
    public double Amount(string key)
    {
        double amount = Parse(key, text => double.Parse(text, CultureInfo.InvariantCulture));
        return amount >= 0 && double.IsFinite(amount) ? amount : throw Error(key, $"is {amount}: a finite number from 0 on is possible");
    }

    public T Parse<T>(string key, Func<string, T> parse)
    {
        string text = Text(key);
        try
        {
            return parse(text);
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            throw Error(key, exception.Message);
        }
    }

    private InvalidDataException Error(string key, string reason) => new($"{_path}: __metadata__: {key}: {reason}");
}
