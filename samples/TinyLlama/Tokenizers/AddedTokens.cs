using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace TinyLlama;

/// <summary>A token that is found in texts as a whole, before merges.</summary>
/// <param name="Text">Its text.</param>
/// <param name="Token">Its number.</param>
internal sealed record AddedToken(string Text, int Token)
{
    /// <summary>Whether it takes the white space before it (lstrip).</summary>
    public bool TakesSpaceBefore { get; init; }

    /// <summary>Whether it takes the white space behind it (rstrip).</summary>
    public bool TakesSpaceBehind { get; init; }

    /// <summary>Whether it is found only where no letter, mark or digit touches it (single_word).</summary>
    public bool IsWordOfItsOwn { get; init; }

    /// <summary>Whether it is looked for, normalised, in the normalised text (normalized); else in the text as it is given.</summary>
    public bool IsNormalized { get; init; }

    /// <summary>Why a text that has it cannot be read; null if it can.</summary>
    public string? Fault { get; init; }
}

/// <summary>Finds added tokens: the leftmost, of those the longest, without overlaps (tokenizers, added_vocabulary.rs).</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken> _byText = new(StringComparer.Ordinal);
    private readonly Regex? _any;

    /// <summary>Tokens with the text to look for, one byte in each char; of equal texts the first one counts.</summary>
    public AddedTokens(IEnumerable<(string ByteText, AddedToken Token)> tokens)
    {
        foreach ((string text, AddedToken token) in tokens)
            _byText.TryAdd(text, token);
        // The first alternative that matches is taken, so longer ones come first.
        if (_byText.Count > 0)
            _any = Split.Compile(string.Join('|', _byText.Keys.OrderByDescending(text => text.Length).Select(Regex.Escape)));
    }

    /// <summary>Cuts a text (one byte in each char) into tokens and what lies between them.</summary>
    public IEnumerable<(Range Part, AddedToken? Token)> Cut(string text)
    {
        int done = 0;
        for (Match? match = _any?.Match(text); match is { Success: true }; match = match.NextMatch())
        {
            AddedToken token = _byText[match.Value];
            (int start, int end) = (match.Index, match.Index + match.Length);
            if (token.IsWordOfItsOwn && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
                continue;
            if (token.TakesSpaceBefore)
                start = Math.Max(done, WithoutSpaceAtEnd(text.AsSpan(0, start)));
            if (token.TakesSpaceBehind)
                end += SpaceAtStart(text.AsSpan(end));
            if (done < start)
                yield return (done..start, null);
            yield return (start..end, token);
            done = end;
        }
        if (done < text.Length)
            yield return (done..text.Length, null);
    }

    private static bool EndsWithWord(ReadOnlySpan<char> byteText) => byteText.Length > 0 && Last(byteText, out _) is var rune && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> byteText) => byteText.Length > 0 && First(byteText, out _) is var rune && IsWord(rune);

    private static int WithoutSpaceAtEnd(ReadOnlySpan<char> byteText)
    {
        while (byteText.Length > 0 && Rune.IsWhiteSpace(Last(byteText, out int length)))
            byteText = byteText[..^length];
        return byteText.Length;
    }

    private static int SpaceAtStart(ReadOnlySpan<char> byteText)
    {
        int start = 0;
        while (start < byteText.Length && Rune.IsWhiteSpace(First(byteText[start..], out int length)))
            start += length;
        return start;
    }

    // No character of UTF-8 is longer than four bytes.
    private static Rune First(ReadOnlySpan<char> byteText, out int length)
    {
        Rune.DecodeFromUtf8(ByteText.Bytes(byteText[..Math.Min(4, byteText.Length)]), out Rune rune, out length);
        return rune;
    }

    private static Rune Last(ReadOnlySpan<char> byteText, out int length)
    {
        Rune.DecodeLastFromUtf8(ByteText.Bytes(byteText[^Math.Min(4, byteText.Length)..]), out Rune rune, out length);
        return rune;
    }

    // \w of Rust's regex: Alphabetic, marks, decimal digits, connectors and joiners. Alphabetic are letters, number letters, and letters in circles and
    // squares, which are symbols otherwise.
    private static bool IsWord(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169)
            or (>= 0x1F170 and <= 0x1F189);
}
