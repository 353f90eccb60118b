using System.Text;
using System.Text.RegularExpressions;

namespace TinyLlama;

/// <summary>
/// A byte-pair encoding as Hugging Face's tokenizers compute it: added tokens are cut out of the text, the rest is normalised and split into pieces, and each piece is merged. Every
/// text begins with the model's first token, as Llama's do. Not for several threads at a time.
/// </summary>
internal sealed class BytePairTokenizer : ITokenizer
{
    private readonly BytePairVocabulary _vocabulary;
    private readonly TextRules _rules;
    private readonly SpecialTokens _special;
    private readonly Dictionary<string, int> _added = new(StringComparer.Ordinal);
    private readonly Regex? _anyAdded;

    public BytePairTokenizer(BytePairVocabulary vocabulary, TextRules rules, SpecialTokens special, IEnumerable<(string Text, int Token)> added)
    {
        _vocabulary = vocabulary;
        _rules = rules;
        _special = special;
        foreach ((string text, int token) in added)
        {
            vocabulary.AddWhole(text, token);
            _added[ByteText.Of(text)] = token;
        }
        // The first alternative that matches is taken, so longer ones come first.
        string[] texts = [.. _added.Keys.Where(text => text.Length > 0).OrderByDescending(text => text.Length)];
        if (texts.Length > 0)
            _anyAdded = Split.Compile(string.Join('|', texts.Select(Regex.Escape)));
    }

    public int BeginToken => _special.Begin;

    public bool Ends(int token) => _special.Ends.Contains(token);

    public int[] Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    /// <summary>The tokens of any bytes, also of such as are no UTF-8.</summary>
    public int[] Encode(ReadOnlySpan<byte> bytes)
    {
        string text = ByteText.Of(bytes);
        var tokens = new List<int> { BeginToken };
        int start = 0;
        for (Match? match = _anyAdded?.Match(text); match is { Success: true }; match = match.NextMatch())
        {
            Encode(text[start..match.Index], start == 0, tokens);
            tokens.Add(_added[match.Value]);
            start = match.Index + match.Length;
        }
        Encode(text[start..], start == 0, tokens);
        return [.. tokens];
    }

    public ReadOnlySpan<byte> Decode(int previous, int token)
    {
        ReadOnlySpan<byte> bytes = _vocabulary.Bytes(token);
        return _rules.StripsFirstSpace && previous == BeginToken && bytes is [(byte)' ', ..] ? bytes[1..] : bytes;
    }

    private void Encode(string text, bool isFirst, List<int> tokens)
    {
        if (text.Length == 0)
            return;
        text = _rules.Normalize(text, isFirst);
        string likeness = ByteText.CodePoints(text, out int[] starts);
        try
        {
            foreach (Range piece in _rules.Cut(likeness))
                _vocabulary.Encode(text, starts.AsSpan(piece.Start.Value..(piece.End.Value + 1)), tokens);
        }
        catch (RegexMatchTimeoutException endless)
        {
            throw new InvalidDataException($"the tokenizer's pattern {endless.Pattern} takes too long for this text", endless);
        }
    }
}
