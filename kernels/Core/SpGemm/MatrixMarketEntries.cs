namespace Kernels.Core.SpGemm;

/// <summary>Reads the entries of a piece of a file, one a line.</summary>
/// <param name="header">The file's first lines.</param>
/// <param name="rows">Receives the rows, by place; unused for arrays.</param>
/// <param name="columns">Receives the columns.</param>
/// <param name="values">Receives the values.</param>
/// <param name="lineNumbers">Receives the numbers of the lines; may be null.</param>
/// <param name="isLenient">Whether comments may stand among the entries, zeros on the diagonal of skew-symmetric matrices, and D in numbers.</param>
internal readonly unsafe struct MatrixMarketEntries<T>(MatrixMarketHeader header, int* rows, int* columns, T* values, long* lineNumbers, bool isLenient)
    where T : unmanaged
{
    private readonly MatrixMarketHeader _header = header;
    private readonly int* _rows = rows, _columns = columns;
    private readonly T* _values = values;
    private readonly long* _lineNumbers = lineNumbers;
    private readonly bool _isLenient = isLenient;

    /// <summary>Reads the entries to the places from <paramref name="first"/> on; returns their number.</summary>
    /// <param name="lines">At a line's start.</param>
    /// <param name="first">The place of the first one.</param>
    /// <exception cref="TensorFileException">A line is no entry.</exception>
    public long Read(ref MatrixMarketLines lines, long first)
    {
        long place = first;
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            int begin = MatrixMarketLines.ContentBegin(line);
            if (begin < 0)
                continue;
            if (line[begin] == MatrixMarketLines.CommentSign)
            {
                CheckComment(lines);
                continue;
            }
            var cursor = new MatrixMarketCursor(line[begin..], _isLenient);
            if (!_header.IsArray)
                ReadPlace(ref cursor, lines, place);
            ReadValue(ref cursor, lines, place);
            if (!cursor.IsAtEnd)
            {
                if (!cursor.IsAtComment)
                    throw lines.Wrong("something follows the entry");
                CheckComment(lines);
            }
            if (_lineNumbers != null)
                _lineNumbers[place] = lines.LineNumber;
            place++;
        }
        return place - first;
    }

    private void CheckComment(in MatrixMarketLines lines)
    {
        if (!_isLenient)
            throw lines.Wrong($"a comment among the entries; they belong before the sizes ({nameof(MatrixMarketOptions.Lenient)} takes them)");
    }

    private void ReadPlace(ref MatrixMarketCursor cursor, in MatrixMarketLines lines, long place)
    {
        long column = 1;
        if (!cursor.TryInteger(out long row) || (!_header.IsVector && !cursor.TryInteger(out column)))
            throw lines.Wrong("an index is missing or no integer");
        if ((ulong)(row - 1) >= (ulong)_header.RowCount || (ulong)(column - 1) >= (ulong)_header.ColumnCount)
            throw lines.Wrong($"({row}, {column}) is outside of {_header.RowCount} x {_header.ColumnCount}");
        if (_header.Symmetry != MatrixMarketSymmetry.General && column > row)
            throw lines.Wrong($"({row}, {column}) is above the diagonal of a symmetric matrix");
        if (_header.Symmetry == MatrixMarketSymmetry.SkewSymmetric && column == row && !_isLenient)
            throw lines.Wrong($"({row}, {column}) is on the diagonal of a skew-symmetric matrix ({nameof(MatrixMarketOptions.Lenient)} takes zeros there)");
        _rows[place] = (int)row - 1;
        _columns[place] = (int)column - 1;
    }

    private void ReadValue(ref MatrixMarketCursor cursor, in MatrixMarketLines lines, long place)
    {
        ref T value = ref _values[place];
        if (!MatrixMarketValue.TryRead(ref cursor, _header.Field, out value))
            throw lines.Wrong($"a value is missing, is no {_header.Field.ToString().ToLowerInvariant()} number, or is out of range");
        if (_header.Symmetry != MatrixMarketSymmetry.SkewSymmetric)
            return;
        if (!_header.IsArray && _rows[place] == _columns[place])
        {
            if (!MatrixMarketValue.IsZero(value))
                throw lines.Wrong($"{value} is on the diagonal of a skew-symmetric matrix, which is zero");
        }
        else if (!MatrixMarketValue.CanNegate(value))
        {
            throw lines.Wrong($"the mirror image of {value}, its negative, is out of range");
        }
    }
}
