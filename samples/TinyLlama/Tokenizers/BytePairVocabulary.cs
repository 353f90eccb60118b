using System.Globalization;

namespace TinyLlama;

/// <summary>
/// Tokens with their bytes, and the rules that join them. Pieces of text begin as single bytes in byte-level vocabularies; else as characters, or as bytes
/// where the vocabulary has no such character. Either way there must be a token for every byte, so that every text comes back from its tokens.
/// </summary>
internal sealed class BytePairVocabulary
{
    private const int Missing = -1;

    private readonly string _file;
    private readonly bool _isByteLevel;
    private readonly bool _takesWholePieces;
    private readonly Dictionary<string, int> _tokenOf = new(StringComparer.Ordinal), _spelled = new(StringComparer.Ordinal);
    private readonly byte[]?[] _bytesOf;
    private readonly int[] _byteTokens = new int[byte.MaxValue + 1];
    private readonly PairMerges _merges = new();
    private readonly List<int> _symbols = [];
    private int _mergeCount;

    /// <summary>An empty vocabulary.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="size">Tokens of the model.</param>
    /// <param name="isByteLevel">Whether tokens are spelled in <see cref="ByteAlphabet"/>; else they are text, and "&lt;0x0A&gt;" is the byte 10.</param>
    /// <param name="takesWholePieces">Whether a piece that is a token is not made by merges (ignore_merges).</param>
    public BytePairVocabulary(string file, int size, bool isByteLevel, bool takesWholePieces)
    {
        _file = file;
        _isByteLevel = isByteLevel;
        _takesWholePieces = takesWholePieces;
        _bytesOf = new byte[]?[size];
        Array.Fill(_byteTokens, Missing);
    }

    /// <summary>The file, for messages.</summary>
    public string FileName => _file;

    /// <summary>Tokens of the model.</summary>
    public int Size => _bytesOf.Length;

    /// <summary>Tokens that were added as they are spelled in the file.</summary>
    public int Count { get; private set; }

    /// <summary>The token of a text as it is spelled in the file; null if there is none.</summary>
    public int? Token(string spelled) => _spelled.TryGetValue(spelled, out int token) ? token : null;

    /// <summary>The bytes of a token; none for those that the files do not name.</summary>
    public ReadOnlySpan<byte> Bytes(int token) => _bytesOf[token];

    /// <summary>Adds a token as it is spelled in the file.</summary>
    public void Add(string spelled, int token)
    {
        CheckRange(spelled, token);
        _spelled[spelled] = token;
        Count++;
        if (_bytesOf[token] is not null)
            throw Fault($"token {token} '{spelled}' is there twice");
        if (!_isByteLevel && TryReadByte(spelled, out byte value))
        {
            _bytesOf[token] = [value];
            _byteTokens[value] = token;
        }
        else if (TryRead(spelled) is { } text)
        {
            _bytesOf[token] = ByteText.Bytes(text);
            if (!_tokenOf.TryAdd(text, token))
                throw Fault($"token {token} '{spelled}' is there twice");
            if (_isByteLevel && text is [var only])
                _byteTokens[only] = token;
        }
        else
        {
            AddWhole(spelled, token);
        }
    }

    /// <summary>Adds a token that no merge makes, and which replaces the text of one that is there.</summary>
    public void AddWhole(string text, int token)
    {
        CheckRange(text, token);
        _bytesOf[token] = ByteText.Bytes(ByteText.Of(text));
    }

    /// <summary>Adds the rule that comes after those before.</summary>
    public void AddMerge(string left, string right)
    {
        if (!_merges.TryAdd(Find(left), Find(right), _mergeCount++, Find(left + right)))
            throw Fault($"merge {_mergeCount} of '{left}' and '{right}' is there twice");
    }

    /// <summary>Says that nothing is added any more.</summary>
    public void Complete()
    {
        int missing = Array.IndexOf(_byteTokens, Missing);
        if (missing >= 0)
            throw Fault($"there is no token for the byte 0x{missing:X2}");
    }

    /// <summary>Replaces a text within all tokens as they are read back: spaces are spelled otherwise in some vocabularies.</summary>
    public void Respell(string text, string replacement)
    {
        string from = ByteText.Of(text), to = ByteText.Of(replacement);
        foreach (int token in _tokenOf.Values)
            _bytesOf[token] = ByteText.Bytes(ByteText.Of(_bytesOf[token]).Replace(from, to, StringComparison.Ordinal));
    }

    /// <summary>The tokens of a piece.</summary>
    /// <param name="text">The text that the piece is part of, one byte in each char.</param>
    /// <param name="starts">Where code points of the piece begin in it, and the end of the piece.</param>
    /// <param name="tokens">They are added to these.</param>
    public void Encode(ReadOnlySpan<char> text, ReadOnlySpan<int> starts, List<int> tokens)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> tokenOf = _tokenOf.GetAlternateLookup<ReadOnlySpan<char>>();
        ReadOnlySpan<char> piece = text[starts[0]..starts[^1]];
        if (_takesWholePieces && tokenOf.TryGetValue(piece, out int whole))
        {
            tokens.Add(whole);
            return;
        }
        _symbols.Clear();
        for (int i = 0; i + 1 < starts.Length; i++)
        {
            ReadOnlySpan<char> character = text[starts[i]..starts[i + 1]];
            if (!_isByteLevel && tokenOf.TryGetValue(character, out int known))
                _symbols.Add(known);
            else
                AddBytes(character);
        }
        _merges.Join(_symbols);
        tokens.AddRange(_symbols);
    }

    private void AddBytes(ReadOnlySpan<char> character)
    {
        foreach (char value in character)
            _symbols.Add(_byteTokens[value]);
    }

    private int Find(string spelled) =>
        TryRead(spelled) is { } text && _tokenOf.TryGetValue(text, out int token) ? token
        : throw Fault($"merge {_mergeCount} names '{spelled}', which is no token");

    private string? TryRead(string spelled) => _isByteLevel ? ByteAlphabet.TryRead(spelled) : ByteText.Of(spelled);

    private void CheckRange(string text, int token)
    {
        if ((uint)token >= (uint)_bytesOf.Length)
            throw Fault($"token {token} '{text}' is not within the vocabulary of {_bytesOf.Length}");
    }

    private static bool TryReadByte(string spelled, out byte value)
    {
        value = 0;
        return spelled is ['<', '0', 'x', _, _, '>'] && byte.TryParse(spelled.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
            out value);
    }

    private InvalidDataException Fault(string reason) => new($"{_file}: {reason}");
}
