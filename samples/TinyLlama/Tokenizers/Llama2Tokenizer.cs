using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace TinyLlama;

/// <summary>
/// llama2.c's tokenizer file: i32 longest token, then for each token of the vocabulary an f32 score, an i32 length and its bytes. Texts are cut into characters, unknown ones into
/// bytes, and the neighbours whose union has the best score are joined until none is left (sentencepiece's byte-pair encoding).
/// </summary>
internal sealed class Llama2Tokenizer : ITokenizer
{
    // Sentencepiece's first tokens: unknown, begin, end, then the 256 bytes.
    private const int Begin = 1, FirstByte = 3;

    private readonly byte[][] _tokens;
    private readonly float[] _scores;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    public Llama2Tokenizer(string path, int vocabularySize)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        _tokens = new byte[vocabularySize][];
        _scores = new float[vocabularySize];
        int position = sizeof(int);
        for (int token = 0; token < vocabularySize; token++)
        {
            int length = position + 2 * sizeof(int) <= file.Length ? BinaryPrimitives.ReadInt32LittleEndian(file[(position + sizeof(float))..]) : -1;
            if (length < 0 || length > file.Length - position - 2 * sizeof(int))
                throw new InvalidDataException($"{path}: at byte {position}: token {token} of {vocabularySize} is cut off");
            _scores[token] = BinaryPrimitives.ReadSingleLittleEndian(file[position..]);
            _tokens[token] = ParseByte(file.Slice(position + 2 * sizeof(int), length));
            _ids.TryAdd(Key(file.Slice(position + 2 * sizeof(int), length)), token);
            position += 2 * sizeof(int) + length;
        }
    }

    public int BeginToken => Begin;

    public int[] Encode(string text)
    {
        var tokens = new List<int>();
        // Sentencepiece puts a space before the first word.
        foreach (Rune rune in (text.Length == 0 ? "" : " " + text).EnumerateRunes())
            AddCharacter(tokens, Encoding.UTF8.GetBytes(rune.ToString()));
        while (BestPair(tokens) is { } best)
        {
            tokens[best.Index] = best.Token;
            tokens.RemoveAt(best.Index + 1);
        }
        return [Begin, .. tokens];
    }

    public ReadOnlySpan<byte> Decode(int previous, int token) => previous == Begin && _tokens[token] is [(byte)' ', ..] ? _tokens[token].AsSpan(1) : _tokens[token];

    private void AddCharacter(List<int> tokens, byte[] character)
    {
        if (_ids.TryGetValue(Key(character), out int token))
            tokens.Add(token);
        else
            tokens.AddRange(character.Select(value => FirstByte + value));
    }

    private (int Index, int Token)? BestPair(List<int> tokens)
    {
        (int Index, int Token)? best = null;
        for (int i = 0; i + 1 < tokens.Count; i++)
        {
            if (_ids.TryGetValue(Key(_tokens[tokens[i]]) + Key(_tokens[tokens[i + 1]]), out int joined) && (best is null || _scores[joined] > _scores[best.Value.Token]))
                best = (i, joined);
        }
        return best;
    }

    // A string of the same bytes: strings can be joined and looked up.
    private static string Key(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    // "<0x0A>" stands for the byte 10.
    private static byte[] ParseByte(ReadOnlySpan<byte> token) =>
        token.Length == 6 && token.StartsWith("<0x"u8) && token[5] == '>' && byte.TryParse(token[3..5], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte value) ? [value] : token.ToArray();
}
