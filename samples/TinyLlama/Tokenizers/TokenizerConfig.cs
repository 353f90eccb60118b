namespace TinyLlama;

/// <summary>What tokenizer_config.json says of the tokens around a text; null where it says nothing.</summary>
internal sealed record TokenizerConfig(string Path, bool? AddsBegin, bool? AddsEnd, bool? AddsPrefixSpace)
{
    public const string FileName = "tokenizer_config.json", BeginKey = "add_bos_token", EndKey = "add_eos_token";

    public static TokenizerConfig Read(string folder)
    {
        string path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return new TokenizerConfig(path, null, null, null);
        JsonValue config = JsonValue.Read(path);
        return new TokenizerConfig(path, config.Find(BeginKey)?.Flag, config.Find(EndKey)?.Flag, config.Find("add_prefix_space")?.Flag);
    }

    /// <summary>
    /// Refuses what contradicts the tokens that the post-processor puts around a text: transformers would follow the one or the other, by the class of the
    /// tokenizer.
    /// </summary>
    public void Check(string file, int[] before, int[] after)
    {
        Check(BeginKey, AddsBegin, before, file, "before");
        Check(EndKey, AddsEnd, after, file, "behind");
    }

    private void Check(string key, bool? said, int[] tokens, string file, string where)
    {
        if (said is { } flag && flag != tokens.Length > 0)
            throw new InvalidDataException(
                $"{Path}: {key} is {(flag ? "true" : "false")}, but the post_processor of {file} puts {(flag ? "no token" : $"token {tokens[0]}")} {where} " +
                $"a text");
    }
}
