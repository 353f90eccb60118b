using System.Globalization;
using System.Numerics;
using System.Text;
using Kernels.Core.Elements;

namespace Kernels.Core.SpGemm;

/// <summary>Writes a matrix as Matrix Market text.</summary>
internal static class MatrixMarketWriter<T> where T : unmanaged, IEquatable<T>
{
    public static void Check(CsrMatrix<T> matrix, in MatrixMarketWriteOptions options)
    {
        CsrChecks.ValueType<T>();
        Checks.Check.Defined(options.Symmetry, nameof(options.Symmetry));
        if (options.IsArray && options.IsPattern)
            throw new ArgumentException("an array has values, not a pattern", nameof(options.IsPattern));
        if (options.IsArray && matrix.HasDuplicates)
            throw new ArgumentException("the matrix may have duplicates, which an array cannot", nameof(options.IsArray));
        if (options.Symmetry != MatrixMarketSymmetry.General && !HasSymmetry(matrix, options.Symmetry))
            throw new ArgumentException($"the matrix of {matrix.RowCount} x {matrix.ColumnCount} {TypeName.Of<T>()} is not {Word(options.Symmetry)}: an " +
                $"entry lacks its mirror image, or that is another value (zeros differ by sign) or out of range", nameof(options.Symmetry));
    }

    public static void Write(Stream target, CsrMatrix<T> matrix, in MatrixMarketWriteOptions options)
    {
        using var writer = new StreamWriter(target, new UTF8Encoding(false), bufferSize: 1 << 16, leaveOpen: true) { NewLine = "\n" };
        string field = options.IsPattern ? "pattern" : typeof(T) == typeof(Complex) ? "complex" : typeof(T) == typeof(double) || typeof(T) == typeof(float)
            ? "real" : "integer";
        writer.WriteLine($"%%MatrixMarket matrix {(options.IsArray ? "array" : "coordinate")} {field} {Word(options.Symmetry)}");
        foreach (string line in options.Comment?.Split('\n') ?? [])
            writer.WriteLine($"% {line.TrimEnd('\r')}");
        if (options.IsArray)
            WriteArray(writer, matrix, options.Symmetry);
        else
            WriteCoordinates(writer, matrix, options);
    }

    // Column by column, as most readers like it: the transpose's rows.
    private static void WriteCoordinates(StreamWriter writer, CsrMatrix<T> matrix, in MatrixMarketWriteOptions options)
    {
        MatrixMarketSymmetry symmetry = options.Symmetry;
        CsrMatrix<T> columns = matrix.Transpose();
        CsrMatrix<T> written = symmetry == MatrixMarketSymmetry.General ? columns : columns.Select((column, row, _) => IsStored(row, column, symmetry));
        writer.WriteLine($"{matrix.RowCount} {matrix.ColumnCount} {written.EntryCount}");
        for (int column = 0; column < written.RowCount; column++)
        {
            for (int i = 0; i < written.RowColumns(column).Length; i++)
            {
                writer.Write($"{written.RowColumns(column)[i] + 1} {column + 1}");
                writer.WriteLine(options.IsPattern ? "" : $" {Text(written.RowValues(column)[i])}");
            }
        }
    }

    private static void WriteArray(StreamWriter writer, CsrMatrix<T> matrix, MatrixMarketSymmetry symmetry)
    {
        writer.WriteLine($"{matrix.RowCount} {matrix.ColumnCount}");
        CsrMatrix<T> columns = matrix.Transpose();
        var dense = new T[matrix.RowCount];
        for (int column = 0; column < columns.RowCount; column++)
        {
            Array.Clear(dense);
            for (int i = 0; i < columns.RowColumns(column).Length; i++)
                dense[columns.RowColumns(column)[i]] = columns.RowValues(column)[i];
            for (int row = 0; row < dense.Length; row++)
            {
                if (IsStored(row, column, symmetry))
                    writer.WriteLine(Text(dense[row]));
            }
        }
    }

    private static bool IsStored(int row, int column, MatrixMarketSymmetry symmetry) =>
        symmetry == MatrixMarketSymmetry.General || row > column || (row == column && symmetry != MatrixMarketSymmetry.SkewSymmetric);

    // Whether reading what is written of it, the entries on and below the diagonal, gives the matrix back.
    private static bool HasSymmetry(CsrMatrix<T> matrix, MatrixMarketSymmetry symmetry)
    {
        if (matrix.RowCount != matrix.ColumnCount)
            return false;
        CsrMatrix<T> sorted = matrix.Sort(), transpose = matrix.Transpose();
        if (!sorted.RowPointers.SequenceEqual(transpose.RowPointers) || !sorted.Columns.SequenceEqual(transpose.Columns))
            return false;
        for (int row = 0; row < sorted.RowCount; row++)
        {
            ReadOnlySpan<int> columns = sorted.RowColumns(row);
            for (int i = 0; i < columns.Length; i++)
            {
                if (!IsPartner(row, columns[i], sorted.RowValues(row)[i], transpose.RowValues(row)[i], symmetry))
                    return false;
            }
        }
        return true;
    }

    private static bool IsPartner(int row, int column, T value, T mirrored, MatrixMarketSymmetry symmetry)
    {
        if (row == column)
            return symmetry == MatrixMarketSymmetry.Symmetric
                || (symmetry == MatrixMarketSymmetry.Hermitian && (value is not Complex number || number.Imaginary == 0));
        // Of a pair, the entry above the diagonal is the one that is read as the other's image.
        return row > column
            || ((symmetry != MatrixMarketSymmetry.SkewSymmetric || MatrixMarketValue.CanNegate(mirrored))
                && MatrixMarketValue.IsSame(value, MatrixMarketValue.Mirror(mirrored, symmetry)));
    }

    private static string Text(T value) => value switch
    {
        double real => Text(real),
        float real => float.IsFinite(real) ? real.ToString("R", CultureInfo.InvariantCulture) : Text((double)real),
        Complex number => $"{Text(number.Real)} {Text(number.Imaginary)}",
        bool truth => truth ? "1" : "0",
        _ => FormattableString.Invariant($"{value}"),
    };

    private static string Text(double real) =>
        double.IsNaN(real) ? "nan" : double.IsInfinity(real) ? (real > 0 ? "inf" : "-inf") : real.ToString("R", CultureInfo.InvariantCulture);

    private static string Word(MatrixMarketSymmetry symmetry) => symmetry switch
    {
        MatrixMarketSymmetry.Symmetric => "symmetric",
        MatrixMarketSymmetry.SkewSymmetric => "skew-symmetric",
        MatrixMarketSymmetry.Hermitian => "hermitian",
        _ => "general",
    };
}
