namespace TinyLlama;

/// <summary>The token that begins every text, and those after which generation ends.</summary>
internal sealed record SpecialTokens(int Begin, int[] Ends)
{
    // LlamaConfig's own, where the file is silent (transformers, configuration_llama.py).
    private const int DefaultBegin = 1, DefaultEnd = 2;

    /// <summary>What config.json says of them.</summary>
    public static SpecialTokens Read(JsonValue config, int vocabularySize)
    {
        int begin = config.Find("bos_token_id")?.Integer ?? DefaultBegin;
        if ((uint)begin >= (uint)vocabularySize)
            throw config.Fault($"bos_token_id {begin} is not within the vocabulary of {vocabularySize}");
        int[] ends = config.Find("eos_token_id") is not { } end ? [DefaultEnd] : end.IsArray ? [.. end.Items.Select(item => item.Integer)] : [end.Integer];
        return new SpecialTokens(begin, ends);
    }
}
