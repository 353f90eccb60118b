using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.Elements;
using Kernels.Core.SpGemm;

namespace Kernels.Tests;

/// <summary>Matrices for the tests of sparse products, and the ways to compare them.</summary>
internal static class SpGemmCases
{
    /// <summary>Test classes that count allocations: the spare team of a job would be taken by another class that runs the same job.</summary>
    public const string NotInParallel = "SpGEMM";

    public static TheoryData<string> Variants<T>() where T : unmanaged => [.. Identities<T>()];

    public static IEnumerable<string> Identities<T>() where T : unmanaged =>
        from variant in KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants)
        where variant.Family == "sp_gemm" && variant.Types == TypeName.Of<T>()
        select variant.Identity;

    /// <summary>Entries at random places; a tenth of rows and columns stay empty, and one row is dense.</summary>
    public static CsrMatrix<T> Random<T>(int rows, int columns, double density, int seed, Func<Random, T> value, bool denseRow = false)
        where T : unmanaged, IEquatable<T>
    {
        var random = new Random(seed);
        var pointers = new long[rows + 1];
        List<int> places = [];
        List<T> values = [];
        for (int row = 0; row < rows; row++)
        {
            bool isDense = denseRow && row == rows / 2, isEmpty = row % 10 == 3;
            for (int column = 0; column < columns; column++)
            {
                if (isDense || (!isEmpty && column % 10 != 7 && random.NextDouble() < density))
                {
                    places.Add(column);
                    values.Add(value(random));
                }
            }
            pointers[row + 1] = places.Count;
        }
        return CsrMatrix.Wrap(rows, columns, pointers, places.ToArray(), values.ToArray());
    }

    /// <summary>Left with so many entries a row, right in rows of so many: wide matrices with few entries.</summary>
    public static CsrMatrix<double> Scattered(int rows, int columns, int perRow, int seed)
    {
        var random = new Random(seed);
        int[] rowIndices = [.. Enumerable.Range(0, rows * perRow).Select(i => i / perRow)];
        int[] columnIndices = [.. rowIndices.Select(_ => random.Next(columns))];
        double[] values = [.. rowIndices.Select(_ => random.NextDouble() - 0.5)];
        return CsrMatrix.FromCoo<double>(rows, columns, rowIndices, columnIndices, values);
    }

    /// <summary>The same entries, each row's in random order, and every third split into two of half the value.</summary>
    public static CsrMatrix<double> Shuffled(CsrMatrix<double> matrix, int seed)
    {
        var random = new Random(seed);
        var pointers = new long[matrix.RowCount + 1];
        List<int> columns = [];
        List<double> values = [];
        for (int row = 0; row < matrix.RowCount; row++)
        {
            List<(int Column, double Value)> entries = [];
            for (int i = 0; i < matrix.RowColumns(row).Length; i++)
            {
                (int column, double value) = (matrix.RowColumns(row)[i], matrix.RowValues(row)[i]);
                if (i % 3 == 0)
                    entries.AddRange([(column, value / 2), (column, value / 2)]);
                else
                    entries.Add((column, value));
            }
            (int Column, double Value)[] shuffled = [.. entries];
            random.Shuffle(shuffled);
            columns.AddRange(shuffled.Select(entry => entry.Column));
            values.AddRange(shuffled.Select(entry => entry.Value));
            pointers[row + 1] = columns.Count;
        }
        return CsrMatrix.Wrap(matrix.RowCount, matrix.ColumnCount, pointers, columns.ToArray(), values.ToArray());
    }

    public static double Number(Random random) => random.NextDouble() - 0.5;

    public static Complex ToComplex(double value) => value;

    /// <summary>The same pattern and the same bits.</summary>
    public static void AssertSame<T>(CsrMatrix<T> expected, CsrMatrix<T> actual) where T : unmanaged, IEquatable<T>
    {
        Assert.Equal(expected.RowCount, actual.RowCount);
        Assert.Equal(expected.ColumnCount, actual.ColumnCount);
        Assert.True(expected.RowPointers.SequenceEqual(actual.RowPointers), "row pointers differ");
        Assert.True(expected.Columns.SequenceEqual(actual.Columns), "columns differ");
        Assert.True(MemoryMarshal.AsBytes(expected.Values).SequenceEqual(MemoryMarshal.AsBytes(actual.Values)), "values differ");
    }

    /// <summary>These sums, sorted, and no others, bit for bit.</summary>
    public static void AssertIs<T>(IReadOnlyDictionary<(int Row, int Column), T> expected, CsrMatrix<T> actual) where T : unmanaged, IEquatable<T>
    {
        Assert.True(actual.IsCanonical);
        Assert.Equal((expected.Count, true), (actual.EntryCount, CsrLayout.Order(actual.RowPointers, actual.Columns) == (true, false)));
        for (int row = 0; row < actual.RowCount; row++)
        {
            for (int i = 0; i < actual.RowColumns(row).Length; i++)
            {
                T found = actual.RowValues(row)[i], wanted = expected[(row, actual.RowColumns(row)[i])];
                if (!MemoryMarshal.AsBytes([wanted]).SequenceEqual(MemoryMarshal.AsBytes([found])))
                    Assert.Fail($"({row}, {actual.RowColumns(row)[i]}) is {found} instead of {wanted}");
            }
        }
    }
}
