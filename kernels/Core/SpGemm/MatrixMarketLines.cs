namespace Kernels;

/// <summary>The lines of a text in memory, ended by LF or CRLF.</summary>
/// <param name="text">The text, or a piece of it that begins with a line.</param>
/// <param name="file">For messages.</param>
/// <param name="lineNumber">Lines before the text.</param>
internal ref struct MatrixMarketLines(ReadOnlySpan<byte> text, string file, long lineNumber)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private readonly string _file = file;

    /// <summary>Whether banners and comments may begin with spaces, and banners with one percent sign.</summary>
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

    /// <summary>Whether a line holds spaces and tabs at most.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0;

    public readonly KernelFormatException Wrong(string message) => new(_file, LineNumber, message);
}

/// <summary>The numbers of a line.</summary>
internal ref struct MatrixMarketCursor(ReadOnlySpan<byte> line)
{
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
        return MatrixMarketNumber.TryReal(ref _rest, out value) && IsAtGap;
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
