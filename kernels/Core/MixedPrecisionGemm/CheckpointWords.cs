using System.Globalization;
using System.Text;
using System.Text.Json;
using Kernels.Core.Tensors;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// The words in which tools say how a checkpoint is quantised, by the names that they have had: GPTQModel, quantization/config.py; AutoAWQ, models/_config.py;
/// auto-round, export.
/// </summary>
internal sealed class CheckpointWords(string source, Func<string, string?> find)
{
    private const string ConfigName = "config.json", ConfigKey = "quantization_config", Gptq = "gptq", Awq = "awq";

    // Files that hold nothing but the configuration, and the method where they do not name it.
    private static readonly (string Name, string Method)[] s_own = [("quantize_config.json", Gptq), ("quant_config.json", Awq)];

    private static readonly string[] s_bare = ["quant_method", "checkpoint_format", "bits", "group_size", "sym", "desc_act", "packing_format"];

    /// <summary>What the files beside a checkpoint say.</summary>
    public static CheckpointDeclaration Beside(string checkpoint)
    {
        string folder = Path.GetDirectoryName(checkpoint) ?? "";
        var said = new CheckpointDeclaration();
        if (Path.Combine(folder, ConfigName) is var config && File.Exists(config))
            said = Parse(config, File.ReadAllBytes(config), root => root.TryGetProperty(ConfigKey, out JsonElement inner)
                && inner.ValueKind != JsonValueKind.Null ? Read(config, inner, method: null) : said);
        foreach ((string name, string method) in s_own)
        {
            if (Path.Combine(folder, name) is var own && File.Exists(own))
                said = said.With(Parse(own, File.ReadAllBytes(own), root => Read(own, root, said.Method ?? method)));
        }
        return said;
    }

    /// <summary>
    /// What a file says under __metadata__: AutoGPTQ's names begin with gptq_. Of the bare ones only those that mean nothing else there; "format", say, is the
    /// framework's.
    /// </summary>
    public static CheckpointDeclaration Within(SafetensorsReader file)
    {
        const string prefix = "gptq_";
        string source = $"{file.FileName}: {SafetensorsHeader.MetadataKey}";
        string? Find(string name) => file.Metadata.TryGetValue(prefix + name, out string? value)
            || (s_bare.Contains(name) && file.Metadata.TryGetValue(name, out value)) ? value : null;
        CheckpointDeclaration said = new CheckpointWords(source, Find).Read(method: null);
        return file.Metadata.TryGetValue(ConfigKey, out string? config)
            ? said.With(Parse(source, Encoding.UTF8.GetBytes(config), root => Read(source, root, method: null))) : said;
    }

    private static CheckpointDeclaration Parse(string path, byte[] text, Func<JsonElement, CheckpointDeclaration> read)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(PythonJson.Quote(text));
            return read(json.RootElement);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new TensorFileException(path, null, null, $"this is not the configuration of a checkpoint: {malformed.Message}", malformed);
        }
    }

    private static CheckpointDeclaration Read(string path, JsonElement config, string? method)
    {
        // Numbers and flags as they are spelled, structures as their text.
        string? Find(string name) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
        return new CheckpointWords(path, Find).Read(method);
    }

    private CheckpointDeclaration Read(string? method)
    {
        if (Word("rotation") is { } rotation)
            throw Fault("rotation", rotation, "weights of rotated activations are not known");
        string? named = Same("quant_method", "method"), format = (named ?? method) == Awq ? Same("checkpoint_format", "format", "version")
            : Same("checkpoint_format", "format");
        if (Flag("is_marlin_format") == true)
            format = "marlin";
        if (named is "auto-round" or "intel/auto-round")
            (named, format) = AutoRound();
        bool isUniform = IsEmpty("dynamic") && IsEmpty("extra_config");
        return new CheckpointDeclaration
        {
            Method = named ?? method,
            Format = format,
            Bits = isUniform ? Number("bits", "w_bit", "wbits") : null,
            GroupSize = isUniform ? Group() : null,
            IsSymmetric = isUniform ? Symmetry() : null,
            HasActOrder = isUniform ? Flag("desc_act") : null,
            Source = source,
        };
    }

    private string? Word(string name) => find(name)?.ToLowerInvariant();

    // Names for the same thing.
    private string? Same(params ReadOnlySpan<string> names)
    {
        string? said = null;
        foreach (string name in names)
        {
            string? word = Word(name);
            if (word is not null && said is not null && word != said)
                throw Fault(name, word, $"another name for it says {said}");
            said ??= word;
        }
        return said;
    }

    private int? Number(params ReadOnlySpan<string> names) => Same(names) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number
            : throw Fault(names[0], text, "a number is needed");

    private int? Group() => Number("group_size", "q_group_size") switch
    {
        null => null,
        -1 => QuantizationFormat.WholeColumn,
        > 0 and var size => size,
        var size => throw Fault("group_size", $"{size}", "-1 or a number of inputs is needed"),
    };

    // AWQ says the opposite: whether there are zero points.
    private bool? Symmetry()
    {
        (bool? symmetry, bool? zeroPoint) = (Flag("sym"), Flag("zero_point"));
        return symmetry is not null && symmetry == zeroPoint ? throw Fault("zero_point", $"{zeroPoint}", $"sym says {symmetry}") : symmetry ?? !zeroPoint;
    }

    private bool? Flag(string name) => Word(name) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var word => throw Fault(name, word, "true or false is needed"),
    };

    private bool IsEmpty(string name) => Word(name) is null or "" or "{}" or "false";

    // auto-round keeps its layers in the tensors of others; those that it calls gptqmodel hold zero points as they are.
    private (string Method, string? Format) AutoRound() => Word("packing_format") switch
    {
        null or "auto_round:auto_gptq" => (Gptq, Gptq),
        "auto_round:gptqmodel" => (Gptq, "gptq_v2"),
        "auto_round:auto_awq" => (Awq, "gemm"),
        var other => throw Fault("packing_format", other, "it is not known"),
    };

    private TensorFileException Fault(string name, string value, string reason) => new(source, null, null, $"{name} is {value}: {reason}");
}
