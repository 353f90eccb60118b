namespace TinyLlama;

/// <summary>The token that begins texts where a tokenizer puts one, and those after which generation ends.</summary>
internal sealed record SpecialTokens(int Begin, int[] Ends)
{
    public const string GenerationName = "generation_config.json";

    private const string BeginKey = "bos_token_id", EndKey = "eos_token_id";

    // LlamaConfig's own, where the file is silent (transformers, configuration_llama.py).
    private const int DefaultBegin = 1, DefaultEnd = 2;

    /// <summary>
    /// What config.json says of them, and of the ends also generation_config.json, if it is there: a text is over at any token that either names.
    /// </summary>
    public static SpecialTokens Read(string folder, int vocabularySize)
    {
        JsonValue config = JsonValue.Read(Path.Combine(folder, HuggingFaceConfig.FileName));
        int begin = config.Find(BeginKey)?.Integer ?? DefaultBegin;
        if ((uint)begin >= (uint)vocabularySize)
            throw config.Fault($"{BeginKey} {begin} is not within the vocabulary of {vocabularySize}");
        List<int> ends = [.. ReadEnds(config)];
        string generation = Path.Combine(folder, GenerationName);
        bool isSaid = config.Has(EndKey);
        if (File.Exists(generation))
        {
            JsonValue more = JsonValue.Read(generation);
            ends.AddRange(ReadEnds(more));
            isSaid |= more.Has(EndKey);
        }
        return new SpecialTokens(begin, isSaid ? [.. ends.Distinct()] : [DefaultEnd]);
    }

    private static int[] ReadEnds(JsonValue config) => config.Find(EndKey) is not { } end ? [] : end.IsArray ? [.. end.Items.Select(item => item.Integer)]
        : [end.Integer];
}
