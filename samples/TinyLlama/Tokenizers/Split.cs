using System.Text.RegularExpressions;

namespace TinyLlama;

/// <summary>A rule of a pre-tokenizer: the matches of a pattern and what lies between them become pieces, which no merge joins.</summary>
/// <param name="pattern">The pattern.</param>
/// <param name="keepsMatches">Whether matches stay in the text.</param>
/// <param name="keepsGaps">Whether what lies between them does.</param>
internal sealed class Split(Regex pattern, bool keepsMatches = true, bool keepsGaps = true)
{
    // A pattern from a file may take exponential time; sound ones take microseconds for a match.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>GPT-2's pattern, which pre-tokenizers of type ByteLevel use (tokenizers, pre_tokenizers/byte_level.rs).</summary>
    public static Split Gpt2 { get; } = new(Compile(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"));

    /// <summary>A pattern.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static Regex Compile(string pattern) => new(pattern, RegexOptions.CultureInvariant, s_patience);

    /// <summary>Cuts pieces of a text further.</summary>
    public List<Range> Cut(string text, List<Range> pieces)
    {
        var cut = new List<Range>();
        foreach (Range piece in pieces)
        {
            int begin = piece.Start.Value, end = piece.End.Value, start = begin;
            foreach (ValueMatch match in pattern.EnumerateMatches(text.AsSpan()[piece]))
            {
                Add(start, begin + match.Index, keepsGaps);
                start = begin + match.Index + match.Length;
                Add(begin + match.Index, start, keepsMatches);
            }
            Add(start, end, keepsGaps);
        }
        return cut;

        void Add(int from, int to, bool isKept)
        {
            if (isKept && from < to)
                cut.Add(from..to);
        }
    }
}
