using System.Text.RegularExpressions;

namespace TinyLlama;

/// <summary>
/// Reads a tokenizer.json of type BPE: byte-level ones (GPT-2, Llama 3, SmolLM) and those that fall back to bytes (Llama 2, Mistral). A step that is not known
/// here is refused by name, since leaving it out would give other tokens.
/// </summary>
internal sealed class TokenizerJson
{
    public const string FileName = "tokenizer.json";

    private readonly JsonValue _root;
    private readonly TextRules _rules = new();
    private bool _isByteLevel;

    private TokenizerJson(JsonValue root) => _root = root;

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vocabularySize">Tokens that the model knows.</param>
    /// <param name="special">Where texts begin and end.</param>
    public static BytePairTokenizer Open(string path, int vocabularySize, SpecialTokens special) => new TokenizerJson(JsonValue.Read(path))
        .Read(path, vocabularySize, special);

    private BytePairTokenizer Read(string path, int vocabularySize, SpecialTokens special)
    {
        foreach (JsonValue step in Steps("normalizer", "normalizers"))
            AddNormalizer(step);
        foreach (JsonValue step in Steps("pre_tokenizer", "pretokenizers"))
            AddPreTokenizer(step);
        BytePairVocabulary vocabulary = ReadModel(path, vocabularySize);
        foreach (JsonValue step in Steps("decoder", "decoders"))
            AddDecoder(step, vocabulary);
        if (_root.Find("post_processor") is { } processor)
            (_rules.Before, _rules.After) = PostProcessor.Read(processor, vocabularySize);
        TokenizerConfig.Read(Path.GetDirectoryName(Path.GetFullPath(path))!).Check(FileName, _rules.Before, _rules.After);
        ReadLengths();
        return new BytePairTokenizer(vocabulary, _rules, special, ReadAdded(vocabulary));
    }

    // Texts that truncation would cut are refused when they come; padding would lengthen every text.
    private void ReadLengths()
    {
        if (_root.Find("truncation") is { } truncation)
            _rules.MostTokens = truncation["max_length"].Integer;
        if (_root.Find("padding") is { } padding
            && (!padding["strategy"].IsText || padding["strategy"].Text != "BatchLongest" || padding.Find("pad_to_multiple_of") is not null))
            throw padding.Fault("tokens that fill up a text are not known");
    }

    private IEnumerable<JsonValue> Steps(string name, string listName) =>
        _root.Find(name) is not { } step ? [] : step["type"].Text == "Sequence" ? step[listName].Items : [step];

    private void AddNormalizer(JsonValue step)
    {
        switch (step["type"].Text)
        {
            case "Prepend":
                _rules.Normalizer.Prepend(step["prepend"].Text);
                break;
            case "Replace":
                _rules.Normalizer.Replace(NotEmpty(step["pattern"]["String"]), step["content"].Text);
                break;
            default:
                throw Unknown(step);
        }
    }

    private void AddPreTokenizer(JsonValue step)
    {
        if (_isByteLevel)
            throw step.Fault("nothing may follow ByteLevel, which spells bytes as other characters");
        switch (step["type"].Text)
        {
            case "ByteLevel":
                _isByteLevel = true;
                if (step.Find("add_prefix_space")?.Flag ?? true)
                    AddPrefix(step, " ", onlyFirst: false);
                if (step.Find("use_regex")?.Flag ?? true)
                    _rules.Splits.Add(Split.Gpt2);
                break;
            case "Split":
                _rules.Splits.Add(ReadSplit(step));
                break;
            case "Digits":
                _rules.Splits.Add(new Split(Split.Compile((step.Find("individual_digits")?.Flag ?? false) ? @"\p{N}" : @"\p{N}+")));
                break;
            case "Metaspace":
                AddMetaspace(step);
                break;
            default:
                throw Unknown(step);
        }
    }

    // Spaces become the replacement, which also stands before the text, and words begin with it.
    private void AddMetaspace(JsonValue step)
    {
        string replacement = NotEmpty(step["replacement"]);
        if (_rules.Splits.Count > 0)
            throw step.Fault("spaces of a text that is split already are not known");
        _rules.PreTokenizer.Replace(" ", replacement);
        if (PrefixScheme(step) is not "never" and var scheme)
            AddPrefix(step, replacement, onlyFirst: scheme == "first");
        if (step.Find("split")?.Flag ?? true)
            _rules.Splits.Add(new Split(Split.Compile($"{Regex.Escape(replacement)}?[^{Regex.Escape(replacement)}]*")));
    }

    private void AddPrefix(JsonValue step, string prefix, bool onlyFirst)
    {
        if (_rules.Splits.Count > 0)
            throw step.Fault("a prefix for every piece of a text that is split already is not known");
        _rules.PreTokenizer.PrependOnce(prefix, onlyFirst);
    }

    private static string PrefixScheme(JsonValue step) =>
        step.Find("prepend_scheme")?.Text ?? ((step.Find("add_prefix_space")?.Flag ?? true) ? "always" : "never");

    private static Split ReadSplit(JsonValue step)
    {
        JsonValue pattern = step["pattern"], behavior = step["behavior"];
        bool isInverted = step.Find("invert")?.Flag ?? false;
        if (behavior.Text is not ("Isolated" or "Removed"))
            throw behavior.Fault($"'{behavior.Text}' is not known, only 'Isolated' and 'Removed'");
        bool keepsAll = behavior.Text == "Isolated";
        try
        {
            return new Split(Split.Compile(pattern.Find("Regex") is { } regex ? OnigurumaPattern.Translate(regex.Text) : Regex.Escape(pattern["String"].Text)),
                keepsAll || isInverted, keepsAll || !isInverted);
        }
        catch (Exception unknown) when (unknown is ArgumentException or NotSupportedException)
        {
            throw pattern.Fault($"this Oniguruma pattern is not known to .NET: {unknown.Message}");
        }
    }

    private BytePairVocabulary ReadModel(string path, int vocabularySize)
    {
        JsonValue model = _root["model"];
        if (model.Find("type") is { } type && type.Text != "BPE")
            throw Unknown(model);
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Find(affix) is { } there && there.Text.Length > 0)
                throw there.Fault("marks within words are not known");
        }
        if (model.Find("dropout") is { } dropout)
            throw dropout.Fault("merges that are left out by lot are not known");
        if (!_isByteLevel && !(model.Find("byte_fallback")?.Flag ?? false))
            throw model.Fault("neither ByteLevel nor byte_fallback: texts could not come back from their tokens");
        var vocabulary = new BytePairVocabulary(path, vocabularySize, _isByteLevel, model.Find("ignore_merges")?.Flag ?? false);
        foreach ((string text, JsonValue token) in model["vocab"].Properties)
            vocabulary.Add(text, token.Integer);
        foreach (JsonValue merge in model["merges"].Items)
        {
            string[] pair = merge.IsText ? merge.Text.Split(' ') : [.. merge.Items.Select(half => half.Text)];
            if (pair is not [var left, var right])
                throw merge.Fault("this is no pair of tokens");
            vocabulary.AddMerge(left, right);
        }
        vocabulary.Complete();
        return vocabulary;
    }

    private void AddDecoder(JsonValue step, BytePairVocabulary vocabulary)
    {
        switch (step["type"].Text)
        {
            case "ByteLevel" when _isByteLevel:
            case "ByteFallback" or "Fuse" when !_isByteLevel:
                break;
            case "Replace" when !_isByteLevel:
                vocabulary.Respell(NotEmpty(step["pattern"]["String"]), step["content"].Text);
                break;
            case "Metaspace" when !_isByteLevel:
                vocabulary.Respell(NotEmpty(step["replacement"]), " ");
                _rules.StripsFirstSpace |= PrefixScheme(step) != "never";
                break;
            case "Strip" when step["content"].Text == " " && step["start"].Integer == 1 && step["stop"].Integer == 0:
                _rules.StripsFirstSpace = true;
                break;
            default:
                throw Unknown(step);
        }
    }

    // Hugging Face's tokenizers do not read the numbers: what the vocabulary has keeps its own, and the others are counted on from its end
    // (added_vocabulary.rs, add_tokens).
    private AddedToken[] ReadAdded(BytePairVocabulary vocabulary)
    {
        var tokens = new List<AddedToken>();
        var counted = new Dictionary<string, int>(StringComparer.Ordinal);
        int next = vocabulary.Count;
        foreach (JsonValue added in _root.Find("added_tokens")?.Items ?? [])
        {
            (string text, int token) = (NotEmpty(added["content"]), added["id"].Integer);
            if (!counted.TryGetValue(text, out int expected))
            {
                counted.Add(text, expected = vocabulary.Token(text) ?? next);
                next = Math.Max(next, expected + 1);
            }
            tokens.Add(new AddedToken(text, token)
            {
                TakesSpaceBefore = added.Find("lstrip")?.Flag ?? false,
                TakesSpaceBehind = added.Find("rstrip")?.Flag ?? false,
                IsWordOfItsOwn = added.Find("single_word")?.Flag ?? false,
                IsNormalized = added.Find("normalized")?.Flag ?? false,
                Fault = FindFault(token, expected, vocabulary.Size),
            });
        }
        return [.. tokens];
    }

    /// <summary>Why a text that has an added token cannot be read; null if it can.</summary>
    public static string? FindFault(int token, int expected, int vocabularySize) =>
        (uint)token >= (uint)vocabularySize ? $"token {token} is not within the vocabulary of {vocabularySize}"
        : token != expected ? $"the file says token {token}, and Hugging Face's tokenizers count it as {expected}"
        : null;

    private static string NotEmpty(JsonValue text) => text.Text.Length > 0 ? text.Text : throw text.Fault("this is empty");

    private static InvalidDataException Unknown(JsonValue step) => step.Fault($"'{step["type"].Text}' is not known here");
}
