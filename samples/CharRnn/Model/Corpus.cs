namespace CharRnn;

/// <summary>A text as places in its alphabet: most of it to train on, its end held out.</summary>
internal sealed class Corpus
{
    private const int StoriesLength = 400_000;
    private const ulong StoriesSeed = 1;

    private const int PromptLength = 16;

    // One character in twenty.
    private const int HeldOutShare = 20;

    // Two characters to hold out: one to begin with, one to foretell.
    private const int LeastLength = 2 * HeldOutShare;

    /// <summary>Splits a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="alphabet">All characters that a model knows; by default those of the text, in ascending order.</param>
    /// <exception cref="InvalidDataException">
    /// The text has a character that the alphabet lacks or that takes two code units, or is too short for a part to hold out.
    /// </exception>
    public Corpus(string text, string? alphabet = null)
    {
        int pair = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        if (pair >= 0)
            throw new InvalidDataException($"character {pair} of the text is beyond U+FFFF: models know none of those");
        Alphabet = alphabet ?? string.Concat(text.Distinct().Order());
        int[] codes = Encode(Alphabet, text);
        if (codes.Length < LeastLength)
            throw new InvalidDataException($"the text has {codes.Length} characters: at least {LeastLength} are needed");
        int split = codes.Length - codes.Length / HeldOutShare;
        (Training, HeldOut) = (codes[..split], codes[split..]);
        Text = text;
    }

    public string Text { get; }

    public string Alphabet { get; }

    public int[] Training { get; }

    public int[] HeldOut { get; }

    /// <summary>The stories that this program makes itself.</summary>
    public static Corpus Stories(string? alphabet = null) =>
        new(StoryGrammar.Write(StoriesLength, StoriesSeed, out double bits), alphabet) { BitsOfItsDraws = bits };

    /// <summary>Bits per character of the draws that made the stories; 0 for others.</summary>
    public double BitsOfItsDraws { get; private init; }

    /// <summary>The entropy of single characters: the loss of a model that knows their frequencies alone.</summary>
    public double LetterBits => Text.CountBy(character => character)
        .Sum(pair => -(double)pair.Value / Text.Length * Math.Log2((double)pair.Value / Text.Length));

    /// <summary>The beginning of the first paragraph of the held-out text, from which samples go on.</summary>
    public string Prompt
    {
        get
        {
            string heldOut = Text[Training.Length..];
            string fromParagraph = heldOut[(heldOut.IndexOf("\n\n", StringComparison.Ordinal) + 1)..].TrimStart('\n');
            string from = fromParagraph.Length > PromptLength ? fromParagraph : heldOut;
            return from[..Math.Min(PromptLength, from.Length)];
        }
    }

    /// <summary>The characters' places in an alphabet.</summary>
    /// <exception cref="InvalidDataException">A character is not in it.</exception>
    public static int[] Encode(string alphabet, string text)
    {
        Dictionary<char, int> places = [];
        for (int i = 0; i < alphabet.Length; i++)
            places[alphabet[i]] = i;
        var codes = new int[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            if (!places.TryGetValue(text[i], out codes[i]))
                throw new InvalidDataException($"character {i} of the text, U+{(int)text[i]:X4}, is not among the {alphabet.Length} that the model knows");
        }
        return codes;
    }
}
