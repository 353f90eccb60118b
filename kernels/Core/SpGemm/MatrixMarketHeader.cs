using System.Text;
using Kernels.Core.SpGemm;

namespace Kernels;

/// <summary>The kinds of values of a Matrix Market file.</summary>
public enum MatrixMarketField
{
    /// <summary>Floating-point numbers; <c>double</c> is taken as another word for it.</summary>
    Real,

    /// <summary>Integers; <c>unsigned-integer</c> is taken as another word for it.</summary>
    Integer,

    /// <summary>Pairs of floating-point numbers.</summary>
    Complex,

    /// <summary>No values: each entry is a one.</summary>
    Pattern,
}

/// <summary>Which entries of a Matrix Market file stand for two.</summary>
public enum MatrixMarketSymmetry
{
    /// <summary>None.</summary>
    General,

    /// <summary>Those below the diagonal, for their mirror image, too.</summary>
    Symmetric,

    /// <summary>Those below the diagonal, for their negative mirror image, too.</summary>
    SkewSymmetric,

    /// <summary>Those below the diagonal, for their conjugate mirror image, too.</summary>
    Hermitian,
}

/// <summary>What the first lines of a Matrix Market file say.</summary>
/// <param name="Field">The kind of values.</param>
/// <param name="Symmetry">The symmetry.</param>
/// <param name="IsArray">Whether all values are listed, column by column, instead of coordinates.</param>
/// <param name="IsVector">Whether the object is a vector: one column, and coordinates of one number.</param>
/// <param name="RowCount">Rows.</param>
/// <param name="ColumnCount">Columns.</param>
/// <param name="StoredCount">Entries in the file.</param>
public readonly record struct MatrixMarketHeader(MatrixMarketField Field, MatrixMarketSymmetry Symmetry, bool IsArray, bool IsVector, int RowCount,
    int ColumnCount, long StoredCount)
{
    private const string Banner = "%%MatrixMarket";

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Reads banner, comments and sizes, and leaves the reader at the first entry.</summary>
    internal static MatrixMarketHeader Parse(ref MatrixMarketLines lines)
    {
        if (!lines.Next(out ReadOnlySpan<byte> line))
            throw lines.Wrong("the file is empty");
        if (line.StartsWith(ByteOrderMark))
            line = lines.IsLenient ? line[ByteOrderMark.Length..]
                : throw lines.Wrong($"the file begins with a byte order mark ({nameof(MatrixMarketOptions.Lenient)} takes it)");
        string[] words = Encoding.UTF8.GetString(line).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 5 || !IsBanner(words[0], line, lines.IsLenient))
            throw lines.Wrong($"the first line is not '{Banner} object format field symmetry'");
        bool isVector = Word(words[1], "object", lines, ("matrix", false), ("vector", true));
        bool isArray = Word(words[2], "format", lines, ("coordinate", false), ("array", true));
        MatrixMarketField field = Word(words[3], "field", lines, ("real", MatrixMarketField.Real), ("double", MatrixMarketField.Real),
            ("integer", MatrixMarketField.Integer),
            ("unsigned-integer", MatrixMarketField.Integer), ("complex", MatrixMarketField.Complex), ("pattern", MatrixMarketField.Pattern));
        MatrixMarketSymmetry symmetry = Word(words[4], "symmetry", lines, ("general", MatrixMarketSymmetry.General),
            ("symmetric", MatrixMarketSymmetry.Symmetric),
            ("skew-symmetric", MatrixMarketSymmetry.SkewSymmetric), ("hermitian", MatrixMarketSymmetry.Hermitian));
        if (isVector && symmetry != MatrixMarketSymmetry.General)
            throw lines.Wrong("a vector has no symmetry");
        if (isArray && field == MatrixMarketField.Pattern)
            throw lines.Wrong("an array has values, not a pattern");
        return Sizes(ref lines, field, symmetry, isArray, isVector);
    }

    private static MatrixMarketHeader Sizes(ref MatrixMarketLines lines, MatrixMarketField field, MatrixMarketSymmetry symmetry, bool isArray, bool isVector)
    {
        ReadOnlySpan<byte> line;
        int begin;
        do
        {
            if (!lines.Next(out line))
                throw lines.Wrong($"there is no line of sizes in the first {lines.Length} bytes");
            begin = MatrixMarketLines.ContentBegin(line);
        }
        while (begin < 0 || line[lines.IsLenient ? begin : 0] == MatrixMarketLines.CommentSign);
        var cursor = new MatrixMarketCursor(line, lines.IsLenient);
        long rows = Size(ref cursor, lines, "rows", CsrChecks.MostRows), columns = isVector ? 1 : Size(ref cursor, lines, "columns", CsrChecks.MostRows);
        if (symmetry != MatrixMarketSymmetry.General && rows != columns)
            throw lines.Wrong($"a symmetric matrix of {rows} x {columns}");
        long stored = isArray ? ArrayCount(rows, columns, symmetry) : Size(ref cursor, lines, "entries", long.MaxValue);
        if (!cursor.IsAtEnd)
            throw lines.Wrong("more numbers than sizes");
        return new(field, symmetry, isArray, isVector, (int)rows, (int)columns, stored);
    }

    private static bool IsBanner(string word, ReadOnlySpan<byte> line, bool isLenient) =>
        isLenient ? word == Banner || word == Banner[1..] : word == Banner && line[0] == (byte)'%';

    private static long ArrayCount(long rows, long columns, MatrixMarketSymmetry symmetry) => symmetry switch
    {
        MatrixMarketSymmetry.General => rows * columns,
        MatrixMarketSymmetry.SkewSymmetric => rows * (rows - 1) / 2,
        _ => rows * (rows + 1) / 2,
    };

    private static long Size(ref MatrixMarketCursor cursor, in MatrixMarketLines lines, string name, long most)
    {
        if (!cursor.TryInteger(out long size) || size < 0 || size > most)
            throw lines.Wrong($"the number of {name} is missing, negative or above {most}");
        return size;
    }

    private static TWord Word<TWord>(string word, string what, in MatrixMarketLines lines, params ReadOnlySpan<(string Name, TWord Value)> known)
    {
        foreach ((string name, TWord value) in known)
        {
            if (word.Equals(name, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        throw lines.Wrong($"'{word}' is no {what}");
    }
}
