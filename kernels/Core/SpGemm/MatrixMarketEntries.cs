namespace Kernels;

/// <summary>Reads the entries of a piece of a file, one a line.</summary>
internal readonly unsafe struct MatrixMarketEntries<T>(MatrixMarketHeader header, int* rows, int* columns, T* values) where T : unmanaged
{
    private readonly MatrixMarketHeader _header = header;
    private readonly int* _rows = rows, _columns = columns;
    private readonly T* _values = values;

    /// <summary>Reads the entries to the places from <paramref name="first"/> on; returns their number.</summary>
    /// <param name="lines">At a line's start.</param>
    /// <param name="first">The place of the first one.</param>
    /// <exception cref="KernelFormatException">A line is no entry.</exception>
    public long Read(ref MatrixMarketLines lines, long first)
    {
        long place = first;
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (line.IsEmpty || MatrixMarketLines.IsBlank(line))
                continue;
            var cursor = new MatrixMarketCursor(line);
            if (!_header.IsArray)
                ReadPlace(ref cursor, lines, place);
            if (!MatrixMarketValue.TryRead(ref cursor, _header.Field, out _values[place]))
                throw lines.Wrong($"a value is missing, is no {_header.Field.ToString().ToLowerInvariant()} number, or is out of range");
            if (!cursor.IsAtEnd)
                throw lines.Wrong("something follows the entry");
            place++;
        }
        return place - first;
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
        if (_header.Symmetry == MatrixMarketSymmetry.SkewSymmetric && column == row)
            throw lines.Wrong($"({row}, {column}) is on the diagonal of a skew-symmetric matrix");
        _rows[place] = (int)row - 1;
        _columns[place] = (int)column - 1;
    }
}
