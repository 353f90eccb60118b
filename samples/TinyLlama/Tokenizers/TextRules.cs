namespace TinyLlama;

/// <summary>Changes of a text (one byte in each char), one after another.</summary>
internal sealed class TextChanges
{
    private delegate string Change(string text, bool isFirst);

    private readonly List<Change> _changes = [];

    /// <summary>Changes a text.</summary>
    /// <param name="text">One byte in each char.</param>
    /// <param name="isFirst">Whether nothing comes before it.</param>
    public string Apply(string text, bool isFirst) => _changes.Aggregate(text, (changed, change) => change(changed, isFirst));

    public void Prepend(string prefix)
    {
        string bytes = ByteText.Of(prefix);
        _changes.Add((text, _) => text.Length == 0 ? text : bytes + text);
    }

    /// <summary>Puts a prefix before texts that have it not yet: before all, or before the first alone.</summary>
    public void PrependOnce(string prefix, bool onlyFirst)
    {
        string bytes = ByteText.Of(prefix);
        _changes.Add((text, isFirst) => text.StartsWith(bytes, StringComparison.Ordinal) || (onlyFirst && !isFirst) ? text : bytes + text);
    }

    public void Replace(string part, string replacement)
    {
        string from = ByteText.Of(part), to = ByteText.Of(replacement);
        _changes.Add((text, _) => text.Replace(from, to, StringComparison.Ordinal));
    }
}

/// <summary>What is done to a text before merges: it is normalised, then added tokens are cut out, then the rest is changed and split.</summary>
internal sealed class TextRules
{
    /// <summary>The normaliser.</summary>
    public TextChanges Normalizer { get; } = new();

    /// <summary>What the pre-tokenizer changes before it splits.</summary>
    public TextChanges PreTokenizer { get; } = new();

    public List<Split> Splits { get; } = [];

    /// <summary>Tokens before every text, as the post-processor says.</summary>
    public int[] Before { get; set; } = [];

    /// <summary>Tokens behind every text.</summary>
    public int[] After { get; set; } = [];

    /// <summary>Whether the space that begins a text was put there by the rules.</summary>
    public bool StripsFirstSpace { get; set; }

    /// <summary>Longer texts would be cut, which is not done here.</summary>
    public int MostTokens { get; set; } = int.MaxValue;

    /// <summary>The pieces of a text that has one char for each code point.</summary>
    public List<Range> Cut(string text) => Splits.Aggregate(new List<Range> { 0..text.Length }, (pieces, split) => split.Cut(text, pieces));
}
