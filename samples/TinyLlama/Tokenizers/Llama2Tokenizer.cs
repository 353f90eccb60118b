using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace TinyLlama;

/// <summary>
/// llama2.c's tokenizer file: i32 longest token, then for each token of the vocabulary an f32 score, an i32 length and its bytes. Texts are cut into
/// characters, unknown ones into bytes, and the neighbours whose union has the best score are joined until none is left (sentencepiece's byte-pair encoding).
/// Not for several threads at a time.
/// </summary>
internal sealed class Llama2Tokenizer : ITokenizer
{
    // Sentencepiece's first tokens: unknown, begin, end, then the 256 bytes.
    private const int Begin = 1, FirstByte = 3, FewestTokens = FirstByte + byte.MaxValue + 1;

    // The ways to cut a token in two take time in the square of its length.
    private const int LongestToken = 1024;

    private static readonly int[] s_before = [Begin];

    private readonly byte[][] _tokens;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly PairMerges _merges = new();

    public Llama2Tokenizer(string path, int vocabularySize)
    {
        if (vocabularySize < FewestTokens)
            throw new InvalidDataException($"{path}: a vocabulary of {vocabularySize} has no token for each byte");
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        if (ForeignFile.Describe(file) is { } other)
            throw new InvalidDataException($"{path}: {other}; a tokenizer of llama2.c, or the folder of Hugging Face is needed");
        // Every token has a score and a length at least.
        if (file.Length < sizeof(int) + 2L * sizeof(int) * vocabularySize)
            throw new InvalidDataException($"{path}: {file.Length} bytes do not hold {vocabularySize} tokens");
        _tokens = new byte[vocabularySize][];
        var scores = new float[vocabularySize];
        int position = sizeof(int);
        for (int token = 0; token < vocabularySize; token++)
        {
            int length = position + 2 * sizeof(int) <= file.Length ? BinaryPrimitives.ReadInt32LittleEndian(file[(position + sizeof(float))..]) : -1;
            if (length < 0 || length > file.Length - position - 2 * sizeof(int))
                throw new InvalidDataException($"{path}: at byte {position}: token {token} of {vocabularySize} is cut off");
            if (length > LongestToken)
                throw new InvalidDataException($"{path}: at byte {position}: token {token} of {length} bytes is longer than {LongestToken}");
            scores[token] = BinaryPrimitives.ReadSingleLittleEndian(file[position..]);
            ReadOnlySpan<byte> bytes = file.Slice(position + 2 * sizeof(int), length);
            _tokens[token] = ParseByte(bytes);
            _ids.TryAdd(ByteText.Of(bytes), token);
            position += 2 * sizeof(int) + length;
        }
        AddMerges(scores);
    }

    public ReadOnlySpan<int> Before => s_before;

    public bool Ends(int token) => token == Begin;

    public int[] Encode(string text)
    {
        var tokens = new List<int>();
        // Sentencepiece puts a space before the first word.
        foreach (Rune rune in (text.Length == 0 ? "" : " " + text).EnumerateRunes())
            AddCharacter(tokens, rune);
        _merges.Join(tokens);
        return [Begin, .. tokens];
    }

    public ReadOnlySpan<byte> Decode(int? previous, int token) => previous is null or Begin && _tokens[token] is [(byte)' ', ..] ? _tokens[token]
        .AsSpan(1) : _tokens[token];

    // Every way to cut a token into two others is a rule; the better the score of the whole, the earlier.
    private void AddMerges(float[] scores)
    {
        float[] best = [.. scores.Distinct().OrderDescending()];
        Dictionary<float, int> rankOf = best.Index().ToDictionary(rank => rank.Item, rank => rank.Index);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach ((string text, int token) in _ids)
        {
            for (int cut = 1; cut < text.Length; cut++)
            {
                if (ids.TryGetValue(text.AsSpan(0, cut), out int left) && ids.TryGetValue(text.AsSpan(cut), out int right))
                    _merges.TryAdd(left, right, rankOf[scores[token]], token);
            }
        }
    }

    private void AddCharacter(List<int> tokens, Rune character)
    {
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..character.EncodeToUtf8(utf8)];
        if (_ids.TryGetValue(ByteText.Of(utf8), out int token))
            tokens.Add(token);
        else
            tokens.AddRange(utf8.ToArray().Select(value => FirstByte + value));
    }

    // "<0x0A>" stands for the byte 10.
    private static byte[] ParseByte(ReadOnlySpan<byte> token) =>
        token.Length == 6 && token.StartsWith("<0x"u8) && token[5] == '>'
        && byte.TryParse(token[3..5], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte value) ? [value] : token.ToArray();
}
