namespace TinyLlama;

/// <summary>What is done to a text before merges: changes of the text (one byte in each char), then splits.</summary>
internal sealed class TextRules
{
    /// <summary>Changes a text.</summary>
    /// <param name="text">One byte in each char.</param>
    /// <param name="isFirst">Whether nothing comes before it.</param>
    public delegate string Change(string text, bool isFirst);

    public List<Change> Changes { get; } = [];

    public List<Split> Splits { get; } = [];

    /// <summary>Whether the space that begins a text was put there by the rules.</summary>
    public bool StripsFirstSpace { get; set; }

    public string Normalize(string text, bool isFirst) => Changes.Aggregate(text, (changed, change) => change(changed, isFirst));

    /// <summary>The pieces of a text that has one char for each code point.</summary>
    public List<Range> Cut(string text) => Splits.Aggregate(new List<Range> { 0..text.Length }, (pieces, split) => split.Cut(text, pieces));

    public void Prepend(string prefix)
    {
        string bytes = ByteText.Of(prefix);
        Changes.Add((text, _) => bytes + text);
    }

    /// <summary>Puts a prefix before texts that have it not yet: before all, or before the first alone.</summary>
    public void PrependOnce(string prefix, bool onlyFirst)
    {
        string bytes = ByteText.Of(prefix);
        Changes.Add((text, isFirst) => text.StartsWith(bytes, StringComparison.Ordinal) || (onlyFirst && !isFirst) ? text : bytes + text);
    }

    public void Replace(string part, string replacement)
    {
        string from = ByteText.Of(part), to = ByteText.Of(replacement);
        Changes.Add((text, _) => text.Replace(from, to, StringComparison.Ordinal));
    }
}
