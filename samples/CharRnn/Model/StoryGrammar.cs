using System.Text;

namespace CharRnn;

/// <summary>
/// A text out of the grammar in stories.grammar, whose notation that file explains: as long as wanted, always the same, and with a known measure of what there
/// is to learn.
/// </summary>
internal sealed class StoryGrammar
{
    private const string Resource = "stories.grammar", StartRule = "story", Same = "as ";
    private const char Comment = '#', Fixed = '$', LineEnd = '~';

    private readonly Dictionary<string, string[]> _rules = [];
    private readonly List<(string Name, string[] Choices)> _fixed = [];
    private readonly SplitMix64 _random;
    private readonly StringBuilder _text = new();
    private readonly Dictionary<string, string[]> _drawn = [];

    private StoryGrammar(ulong seed)
    {
        _random = new SplitMix64(seed);
        using var reader = new StreamReader(typeof(StoryGrammar).Assembly.GetManifestResourceStream(Resource)!);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != Comment)
                AddRule(line);
        }
    }

    /// <summary>The bits of all draws so far.</summary>
    public double Bits { get; private set; }

    /// <summary>Whole stories of together at least so many characters.</summary>
    /// <param name="length">Characters.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <param name="bitsPerCharacter">The information in the draws: who knows the grammar needs no more, and no model can do with less on the average.</param>
    public static string Write(int length, ulong seed, out double bitsPerCharacter)
    {
        var grammar = new StoryGrammar(seed);
        while (grammar._text.Length < length)
            grammar.WriteStory();
        bitsPerCharacter = grammar.Bits / grammar._text.Length;
        return grammar._text.ToString();
    }

    private void AddRule(string line)
    {
        string[] parts = line.Split(" = ", 2);
        string[] choices = parts[1].Split(" | ");
        if (parts[0][0] != Fixed)
        {
            _rules.Add(parts[0], choices);
            return;
        }
        if (parts[1].StartsWith(Same, StringComparison.Ordinal))
            choices = _fixed.Single(rule => rule.Name == parts[1][Same.Length..]).Choices;
        _fixed.Add((parts[0], choices));
    }

    private void WriteStory()
    {
        _drawn.Clear();
        var taken = new HashSet<string>();
        foreach ((string name, string[] choices) in _fixed)
        {
            string[] left = [.. choices.Where(choice => !taken.Contains(choice))];
            string choice = left[Draw(left.Length)];
            taken.Add(choice);
            _drawn.Add(name, choice.Split(','));
        }
        Expand(_rules[StartRule][0]);
        _text.Append('\n');
    }

    private int Draw(int count)
    {
        Bits += Math.Log2(count);
        return _random.Next(count);
    }

    private void Expand(ReadOnlySpan<char> pattern)
    {
        while (!pattern.IsEmpty)
        {
            int plain = pattern.IndexOfAny('<', Fixed, LineEnd);
            _text.Append(pattern[..(plain < 0 ? pattern.Length : plain)]);
            if (plain < 0)
                return;
            char mark = pattern[plain];
            pattern = pattern[(plain + 1)..];
            if (mark == LineEnd)
                _text.Append('\n');
            else
                pattern = pattern[(mark == Fixed ? Recall(pattern) : Choose(pattern))..];
        }
    }

    // <rule>: what stands before the > is its name.
    private int Choose(ReadOnlySpan<char> rest)
    {
        int end = rest.IndexOf('>');
        string[] choices = _rules[rest[..end].ToString()];
        Expand(choices[Draw(choices.Length)]);
        return end + 1;
    }

    // $name or $name.field
    private int Recall(ReadOnlySpan<char> rest)
    {
        int end = 0;
        while (end < rest.Length && char.IsAsciiLetter(rest[end]))
            end++;
        string[] fields = _drawn[Fixed + rest[..end].ToString()];
        bool hasField = end + 1 < rest.Length && rest[end] == '.' && char.IsAsciiDigit(rest[end + 1]);
        _text.Append(fields[hasField ? rest[end + 1] - '1' : 0]);
        return hasField ? end + 2 : end;
    }
}
