using Kernels.Managed;

namespace Kernels;

/// <summary>Gives tokens of text their ids: 0, 1, 2 ... by first appearance. Candidates and references must be encoded by the same vocabulary.</summary>
/// <remarks>Not for concurrent use. Grows with the number of different tokens.</remarks>
public sealed class BleuVocabulary
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    /// <summary>The number of different tokens seen.</summary>
    public int Count => _ids.Count;

    /// <summary>Tokenizes one text and appends the ids of its tokens.</summary>
    /// <param name="text">The text, most often one sentence.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <param name="tokenizer">The rules.</param>
    /// <param name="lowercase">Whether to take lower case first, as scores named <c>lc</c> do.</param>
    public void Encode(string text, ICollection<int> ids, BleuTokenizer tokenizer = BleuTokenizer.Mteval13a, bool lowercase = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(ids);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        string tokenized = BleuTextRules.Apply(BleuTokens.TrimEnd(lowercase ? PythonLowerCase.Of(text) : text), tokenizer);
        foreach (ReadOnlySpan<char> token in new BleuTokens(tokenized))
        {
            if (!lookup.TryGetValue(token, out int id))
            {
                id = _ids.Count;
                lookup[token] = id;
            }
            ids.Add(id);
        }
    }

    /// <summary>Tokenizes texts, each to one sequence.</summary>
    /// <param name="texts">The texts, in the order of the sequences.</param>
    /// <param name="tokenizer">The rules.</param>
    /// <param name="lowercase">Whether to take lower case first.</param>
    public EncodedTexts Encode(IEnumerable<string> texts, BleuTokenizer tokenizer = BleuTokenizer.Mteval13a, bool lowercase = false)
    {
        ArgumentNullException.ThrowIfNull(texts);
        List<int> ids = [], offsets = [0];
        foreach (string text in texts)
        {
            Encode(text, ids, tokenizer, lowercase);
            offsets.Add(ids.Count);
        }
        return new EncodedTexts([.. ids], [.. offsets]);
    }
}

/// <summary>The ids of several texts.</summary>
/// <param name="Ids">All ids.</param>
/// <param name="Offsets">Where each text begins, and where the last one ends.</param>
public sealed record EncodedTexts(int[] Ids, int[] Offsets)
{
    /// <summary>The sequences, to be scored or scored against.</summary>
    public TokenBatch<int> Batch => TokenBatch.Ragged<int>(Ids, Offsets);
}

/// <summary>The parts of a text between white space, as Python's <c>split()</c> finds them: to it, the four separators of ASCII are white space, too.</summary>
internal ref struct BleuTokens(string text)
{
    private const char FileSeparator = '\u001C', UnitSeparator = '\u001F';

    private ReadOnlySpan<char> _rest = text;

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly BleuTokens GetEnumerator() => this;

    public bool MoveNext()
    {
        int begin = 0;
        while (begin < _rest.Length && IsSpace(_rest[begin]))
            begin++;
        int end = begin;
        while (end < _rest.Length && !IsSpace(_rest[end]))
            end++;
        Current = _rest[begin..end];
        _rest = _rest[end..];
        return end > begin;
    }

    /// <summary>The text without the white space at its end, which sacreBLEU takes away before any rule.</summary>
    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    private static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= FileSeparator and <= UnitSeparator;
}
