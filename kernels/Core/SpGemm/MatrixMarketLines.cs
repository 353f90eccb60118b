namespace Kernels.Core.SpGemm;

/// <summary>The lines of a text in memory, ended by LF or CRLF.</summary>
/// <param name="text">The text, or a piece of it that begins with a line.</param>
/// <param name="file">For messages.</param>
/// <param name="lineNumber">Lines before the text.</param>
internal ref struct MatrixMarketLines(ReadOnlySpan<byte> text, string file, long lineNumber)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private readonly string _file = file;

    /// <summary>Whether the text may begin with a byte order mark, banners and comments with spaces, and banners with one percent sign.</summary>
    public bool IsLenient { get; init; }

    /// <summary>Where the next line begins.</summary>
    public int Position { get; private set; }

    /// <summary>The number of the line read last.</summary>
    public long LineNumber { get; private set; } = lineNumber;

    public bool Next(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (Position >= _text.Length)
            return false;
        ReadOnlySpan<byte> rest = _text[Position..];
        int end = rest.IndexOf((byte)'\n');
        line = end < 0 ? rest : rest[..end];
        Position += end < 0 ? rest.Length : end + 1;
        LineNumber++;
        if (line.Length > 0 && line[^1] == (byte)'\r')
            line = line[..^1];
        return true;
    }

    /// <summary>What comments begin with.</summary>
    public const byte CommentSign = (byte)'%';

    /// <summary>The bytes of the whole text.</summary>
    public readonly int Length => _text.Length;

    /// <summary>Where a line's first character stands that is neither space nor tab; negative if there is none.</summary>
    public static int ContentBegin(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept((byte)' ', (byte)'\t');

    public readonly TensorFileException Wrong(string message) => new(_file, LineNumber, message);
}

/// <summary>The numbers of a line.</summary>
/// <param name="line">The line.</param>
/// <param name="isLenient">Whether exponents may be marked by D, as Fortran marks those of double precision.</param>
internal ref struct MatrixMarketCursor(ReadOnlySpan<byte> line, bool isLenient)
{
    private readonly bool _isLenient = isLenient;
    private ReadOnlySpan<byte> _rest = line;

    /// <summary>Whether nothing but space follows.</summary>
    public bool IsAtEnd
    {
        get
        {
            SkipSpace();
            return _rest.IsEmpty;
        }
    }

    /// <summary>Whether a comment follows at once.</summary>
    public readonly bool IsAtComment => !_rest.IsEmpty && _rest[0] == MatrixMarketLines.CommentSign;

    /// <summary>Whether the next word is an integer, of any length.</summary>
    public readonly bool IsAtInteger
    {
        get
        {
            ReadOnlySpan<byte> word = Word;
            ReadOnlySpan<byte> digits = word.IsEmpty || word[0] is not ((byte)'-' or (byte)'+') ? word : word[1..];
            return !digits.IsEmpty && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        }
    }

    /// <summary>A decimal integer of 64 bits.</summary>
    public bool TryInteger(out long value)
    {
        SkipSpace();
        return MatrixMarketNumber.TryInteger(ref _rest, out value) && IsAtGap;
    }

    /// <summary>A floating-point number; one beyond the range of double is not taken.</summary>
    public bool TryReal(out double value)
    {
        SkipSpace();
        return MatrixMarketNumber.TryReal(ref _rest, _isLenient, out value) && IsAtGap;
    }

    /// <summary>A floating-point number, rounded once; one beyond the range of float is not taken.</summary>
    public bool TrySingle(out float value)
    {
        SkipSpace();
        ReadOnlySpan<byte> word = _rest;
        value = 0;
        return TryReal(out double real) && MatrixMarketNumber.TryNarrow(real, word[..^_rest.Length], _isLenient, out value);
    }

    private readonly ReadOnlySpan<byte> Word
    {
        get
        {
            ReadOnlySpan<byte> word = _rest.TrimStart(" \t"u8);
            int end = word.IndexOfAny((byte)' ', (byte)'\t');
            return end < 0 ? word : word[..end];
        }
    }

    private readonly bool IsAtGap => _rest.IsEmpty || _rest[0] is (byte)' ' or (byte)'\t';

    private void SkipSpace()
    {
        int i = 0;
        while (i < _rest.Length && _rest[i] is (byte)' ' or (byte)'\t')
            i++;
        _rest = _rest[i..];
    }
}
