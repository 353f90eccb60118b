using System.Text;
using System.Text.RegularExpressions;

namespace TinyLlama;

/// <summary>
/// A byte-pair encoding as Hugging Face's tokenizers compute it: added tokens are cut out of the text, the rest is normalised, normalised added tokens are cut
/// out of that, what is left is split into pieces, each piece is merged, and the post-processor's tokens are put around them. Not for several threads at a
/// time.
/// </summary>
internal sealed class BytePairTokenizer : ITokenizer
{
    private readonly BytePairVocabulary _vocabulary;
    private readonly TextRules _rules;
    private readonly SpecialTokens _special;
    private readonly AddedTokens _added, _addedNormalized;

    public BytePairTokenizer(BytePairVocabulary vocabulary, TextRules rules, SpecialTokens special, IReadOnlyList<AddedToken> added)
    {
        _vocabulary = vocabulary;
        _rules = rules;
        _special = special;
        foreach (AddedToken token in added.Where(token => token.Fault is null))
            vocabulary.AddWhole(token.Text, token.Token);
        _added = new AddedTokens(added.Where(token => !token.IsNormalized).Select(token => (ByteText.Of(token.Text), token)));
        _addedNormalized = new AddedTokens(added.Where(token => token.IsNormalized)
            .Select(token => (rules.Normalizer.Apply(ByteText.Of(token.Text), isFirst: true), token)).Where(token => token.Item1.Length > 0));
    }

    public ReadOnlySpan<int> Before => _rules.Before;

    public bool Ends(int token) => _special.Ends.Contains(token);

    public int[] Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    /// <summary>The tokens of any bytes, also of such as are no UTF-8.</summary>
    public int[] Encode(ReadOnlySpan<byte> bytes)
    {
        string text = ByteText.Of(bytes);
        List<int> tokens = [.. _rules.Before];
        foreach ((Range part, AddedToken? token) in _added.Cut(text))
        {
            if (token is not null)
                Add(token, tokens);
            else
                EncodeNormalized(_rules.Normalizer.Apply(text[part], part.Start.Value == 0), part.Start.Value == 0, tokens);
        }
        tokens.AddRange(_rules.After);
        return tokens.Count <= _rules.MostTokens ? [.. tokens]
            : throw new InvalidDataException(
            $"{_vocabulary.FileName}: truncation: the text has {tokens.Count} tokens, and the file says to cut texts to {_rules.MostTokens}");
    }

    public ReadOnlySpan<byte> Decode(int? previous, int token)
    {
        ReadOnlySpan<byte> bytes = _vocabulary.Bytes(token);
        bool isFirst = previous is null || (_rules.Before is [.., var last] && previous == last);
        return _rules.StripsFirstSpace && isFirst && bytes is [(byte)' ', ..] ? bytes[1..] : bytes;
    }

    private void EncodeNormalized(string text, bool isFirst, List<int> tokens)
    {
        foreach ((Range part, AddedToken? token) in _addedNormalized.Cut(text))
        {
            if (token is not null)
                Add(token, tokens);
            else
                EncodePiece(_rules.PreTokenizer.Apply(text[part], isFirst && part.Start.Value == 0), tokens);
        }
    }

    private void EncodePiece(string text, List<int> tokens)
    {
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

    private void Add(AddedToken token, List<int> tokens) =>
        tokens.Add(token.Fault is { } fault ? throw new InvalidDataException($"{_vocabulary.FileName}: the text has '{token.Text}': {fault}") : token.Token);
}
