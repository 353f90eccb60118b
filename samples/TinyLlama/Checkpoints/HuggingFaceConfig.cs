namespace TinyLlama;

/// <summary>
/// What the files beside the weights say: sizes, and how matrices are quantised. A property that would change the computation in a way that the sample does not
/// know is refused by name.
/// </summary>
internal sealed record HuggingFaceConfig(LlamaShape Shape, QuantizationConfig? Quantization)
{
    public const string FileName = "config.json";

    /// <summary>Reads config.json.</summary>
    /// <param name="folder">Where it stands.</param>
    /// <param name="longestContext">Cuts the context of models that allow more than there is memory for.</param>
    public static HuggingFaceConfig Read(string folder, int longestContext = int.MaxValue)
    {
        JsonValue config = JsonValue.Read(Path.Combine(folder, FileName));
        RefuseOthers(config);
        LlamaShape shape = ReadShape(config);
        if (shape.ContextLength > longestContext)
            shape = shape with { ContextLength = longestContext };
        if (shape.FindFault() is { } fault)
            throw config.Fault(fault);
        if (config.Find("head_dim") is { } headDimension && headDimension.Integer != shape.HeadDimension)
            throw headDimension.Fault($"heads of {headDimension.Integer} are not known: {shape.Dimension} over {shape.HeadCount} heads is " +
                $"{shape.HeadDimension}");
        if (config.Find("sliding_window") is { } window && window.Integer < shape.ContextLength)
            throw window.Fault($"attention within a window of {window.Integer} is not known for a context of {shape.ContextLength}");
        return new HuggingFaceConfig(shape, QuantizationConfig.Find(folder, config));
    }

    // LlamaConfig's own numbers where the file is silent (transformers, configuration_llama.py).
    private static LlamaShape ReadShape(JsonValue config)
    {
        int heads = config["num_attention_heads"].Integer;
        JsonValue? rotary = config.Find("rope_scaling") ?? config.Find("rope_parameters");
        return new LlamaShape(
            config["hidden_size"].Integer, config["intermediate_size"].Integer, config["num_hidden_layers"].Integer, heads,
            config.Find("num_key_value_heads")?.Integer ?? heads,
            config["vocab_size"].Integer, config.Find("max_position_embeddings")?.Integer ?? 2048)
        {
            RotaryPairs = RotaryPairs.Halves,
            RotaryBase = (config.Find("rope_theta") ?? rotary?.Find("rope_theta"))?.Positive ?? 10_000,
            RotaryScaling = rotary is { } scaling ? ReadScaling(scaling) : null,
            NormEpsilon = config.Find("rms_norm_eps")?.Positive ?? 1e-6f,
            SharesClassifier = config.Find("tie_word_embeddings")?.Flag ?? false,
        };
    }

    private static RotaryScaling? ReadScaling(JsonValue scaling)
    {
        string type = (scaling.Find("rope_type") ?? scaling["type"]).Text;
        if (type == "default")
            return null;
        if (type != "llama3")
            throw scaling.Fault($"rotary positions of type '{type}' are not known, only 'default' and 'llama3'");
        float few = scaling["low_freq_factor"].Positive, many = scaling["high_freq_factor"].Positive;
        int trained = scaling["original_max_position_embeddings"].Integer;
        return few < many && trained > 0 ? new RotaryScaling(scaling["factor"].Positive, few, many, trained)
            : throw scaling.Fault($"low_freq_factor {few} is not below high_freq_factor {many}, or the original context {trained} is not positive");
    }

    private static void RefuseOthers(JsonValue config)
    {
        if (config["model_type"].Text is not ("llama" or "mistral"))
            throw config["model_type"].Fault($"models of type '{config["model_type"].Text}' are not known, only 'llama' and 'mistral'");
        if (config.Find("hidden_act") is { } activation && activation.Text != "silu")
            throw activation.Fault($"the activation '{activation.Text}' is not known, only 'silu'");
        foreach (string bias in (string[])["attention_bias", "mlp_bias"])
        {
            if (config.Find(bias) is { Flag: true } there)
                throw there.Fault("layers with a bias are not known");
        }
    }
}
