namespace TinyLlama;

/// <summary>
/// Reads GPT-2's pair of files: vocab.json, an object of tokens, and merges.txt, a pair in each line. They are byte-level and have GPT-2's splits.
/// </summary>
internal static class VocabularyFiles
{
    public const string VocabularyName = "vocab.json", MergesName = "merges.txt", AddedName = "added_tokens.json";

    private const string VersionMark = "#version";

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="folder">Where the files stand.</param>
    /// <param name="vocabularySize">Tokens that the model knows.</param>
    /// <param name="special">Where texts begin and end; these tokens are also recognised within texts.</param>
    /// <remarks>
    /// As transformers' GPT2Converter has it, a text begins with the model's first token only where tokenizer_config.json says add_bos_token.
    /// </remarks>
    public static BytePairTokenizer Open(string folder, int vocabularySize, SpecialTokens special)
    {
        TokenizerConfig config = TokenizerConfig.Read(folder);
        if (config.AddsEnd ?? false)
            throw new InvalidDataException($"{config.Path}: {TokenizerConfig.EndKey} is not known for {VocabularyName}");
        string vocabularyPath = Path.Combine(folder, VocabularyName);
        var vocabulary = new BytePairVocabulary(vocabularyPath, vocabularySize, isByteLevel: true, takesWholePieces: false);
        (string Name, JsonValue Value)[] tokens = JsonValue.Read(vocabularyPath).Properties;
        foreach ((string text, JsonValue token) in tokens)
            vocabulary.Add(text, token.Integer);
        ReadMerges(Path.Combine(folder, MergesName), vocabulary);
        vocabulary.Complete();
        var rules = new TextRules { Splits = { Split.Gpt2 }, Before = config.AddsBegin ?? false ? [special.Begin] : [] };
        if (config.AddsPrefixSpace ?? false)
            rules.PreTokenizer.PrependOnce(" ", onlyFirst: false);
        IEnumerable<AddedToken> known = tokens.Select(token => new AddedToken(token.Name, token.Value.Integer))
            .Where(token => token.Token == special.Begin || special.Ends.Contains(token.Token));
        return new BytePairTokenizer(vocabulary, rules, special, [.. known.Concat(ReadAdded(folder, vocabularySize))]);
    }

    // {"<x>": 50257}: what was added later, if anything was.
    private static AddedToken[] ReadAdded(string folder, int vocabularySize)
    {
        string path = Path.Combine(folder, AddedName);
        return !File.Exists(path) ? [] :
        [
            .. JsonValue.Read(path).Properties.Where(token => token.Name.Length > 0)
                .Select(token => new AddedToken(token.Name, token.Value.Integer) { Fault = TokenizerJson.FindFault(token.Value.Integer, token.Value.Integer,
                    vocabularySize) }),
        ];
    }

    private static void ReadMerges(string path, BytePairVocabulary vocabulary)
    {
        int line = 0;
        foreach (string merge in File.ReadLines(path))
        {
            line++;
            if (merge.Length == 0 || (line == 1 && merge.StartsWith(VersionMark, StringComparison.Ordinal)))
                continue;
            if (merge.Split(' ') is not [var left, var right])
                throw new InvalidDataException($"{path}, line {line}: '{merge}' is no pair of tokens");
            vocabulary.AddMerge(left, right);
        }
    }
}
