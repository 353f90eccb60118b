using System.Numerics;
using System.Text;

namespace Kernels.Tests;

/// <summary>Matrix Market texts: every field, symmetry and format, what is refused and where, and back again.</summary>
public sealed class MatrixMarketTests
{
    private static CsrMatrix<T> Parse<T>(string text, MatrixMarketOptions options = default) where T : unmanaged, IEquatable<T> => MatrixMarket.Parse<T>(Encoding.ASCII.GetBytes(text), options);

    private const string Banner = "%%MatrixMarket matrix coordinate ";

    [Fact]
    public void FieldsAndSymmetries()
    {
        SpGemmCases.AssertSame(CsrMatrix.FromDense<double>([1.5, 0, 0, -2e3], 2, 2), Parse<double>(Banner + "real general\n% comment\n\n2 2 2\n1 1 1.5\n2 2 -2E+3\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<int>([1, 5, 5, 0], 2, 2), Parse<int>(Banner + "integer symmetric\r\n2 2 2\r\n1 1 1\r\n2 1 5\r\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<float>([0, -5, 5, 0], 2, 2), Parse<float>(Banner + "real skew-symmetric\n2 2 1\n2 1 5"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<Complex>([1, new(2, -3), new(2, 3), 4], 2, 2), Parse<Complex>(Banner + "complex hermitian\n2 2 3\n1 1 1 0\n2 1 2 3\n2 2 4 0\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<bool>([false, true, false, false], 2, 2), Parse<bool>(Banner + "pattern general\n2 2 1\n1 2\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<long>([1, 3, 5, 2, 0, 6], 2, 3), Parse<long>("%%MatrixMarket MATRIX Array Integer General\n2 3\n1\n2\n3\n0\n5\n6\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<double>([0, 7, 0], 3, 1), Parse<double>("%%MatrixMarket vector coordinate real general\n3 1\n2 7\n"));
    }

    [Fact]
    public void NumbersAreRoundedAsTheRuntimeRoundsThem()
    {
        var random = new Random(1);
        List<string> words = ["0", "-0", "+1.", ".5", "1e22", "1e23", "9007199254740993", "1.7976931348623157e308", "4.9e-324", "123456789012345678901234567890", "0.1", "-2.2250738585072014e-308", "00012.500", "1e-9223372036854775808", "-3E-99999999999999999999"];
        for (int i = 0; i < 2000; i++)
            words.Add(BitConverter.UInt64BitsToDouble((ulong)random.NextInt64() & ~(1UL << 62)).ToString(i % 2 == 0 ? "R" : "E8", System.Globalization.CultureInfo.InvariantCulture));
        for (int i = 0; i < 2000; i++)
            words.Add(FormattableString.Invariant($"{random.Next()}.{random.Next()}e{random.Next(-12, 12)}"));
        CsrMatrix<double> read = Parse<double>($"{Banner}real general\n1 {words.Count} {words.Count}\n" + string.Concat(words.Select((word, i) => $"1 {i + 1} {word}\n")));
        Assert.Equal(words.Select(word => BitConverter.DoubleToInt64Bits(double.Parse(word, System.Globalization.CultureInfo.InvariantCulture))), read.Values.ToArray().Select(BitConverter.DoubleToInt64Bits));
    }

    public static TheoryData<string, int> BadTexts => new()
    {
        { "", 0 },
        { "%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n", 1 },
        { Banner + "real symmetric\n2 2 1\n1 2 5\n", 3 },
        { Banner + "real skew-symmetric\n2 2 1\n2 2 5\n", 3 },
        { Banner + "real symmetric\n2 3 1\n1 1 5\n", 2 },
        { Banner + "real general\n2 2 2\n1 1 1\n3 1 1\n", 4 },
        { Banner + "real general\n2 2 2\n1 1 1\n1 2 one\n", 4 },
        { Banner + "real general\n2 2 2\n\n1 1 1 1\n1 2 1\n", 4 },
        { Banner + "real general\n2 2 2\n1 1 1\n1 2 1e999\n", 4 },
        { Banner + "real general\n2 2 2\n1 1 1\n1 2 1e9223372036854775807\n", 4 },
        { Banner + "real general\n1 1 1\n1 1 +-5\n", 3 },
        { Banner + "real general\n2147483647 1 0\n", 2 },
        { Banner + "real general\n1 2147483647 0\n", 2 },
        { Banner + "real general\n2 2 2\n1 1 1\n", 3 },
        { Banner + "real general\n2 2 1\n1 1 1\n1 2 1\n", 4 },
        { Banner + "complex general\n1 1 1\n1 1 1 1\n", 1 },
    };

    [Theory]
    [MemberData(nameof(BadTexts))]
    public void BadTextsAreRefusedWithTheirLine(string text, int line) => Assert.Equal(line, Assert.Throws<KernelFormatException>(() => Parse<double>(text)).Line);

    [Fact]
    public void ValuesThatDoNotFitAreRefused()
    {
        Assert.Throws<KernelFormatException>(() => Parse<int>(Banner + "integer general\n1 1 1\n1 1 2147483648\n"));
        Assert.Throws<KernelFormatException>(() => Parse<long>(Banner + "integer general\n1 1 1\n1 1 9223372036854775808\n"));
        Assert.Equal(long.MinValue, Parse<long>(Banner + "integer general\n1 1 1\n1 1 -9223372036854775808\n").Values[0]);
        Assert.Throws<KernelFormatException>(() => Parse<float>(Banner + "real general\n1 1 1\n1 1 1e39\n"));
        Assert.Throws<KernelFormatException>(() => Parse<int>(Banner + "real general\n1 1 1\n1 1 1\n"));
        Assert.Throws<KernelFormatException>(() => Parse<double>(Banner + "real general\n1 1 2\n1 1 1\n1 1 2\n", new() { Duplicates = DuplicateEntries.Refuse }));
        Assert.Equal(3, Parse<double>(Banner + "real general\n1 1 2\n1 1 1\n1 1 2\n").Values[0]);
    }

    [Fact]
    public void NegativeParallelismIsRefused() =>
        Assert.Equal("MaxDegreeOfParallelism", Assert.Throws<ArgumentOutOfRangeException>(() => Parse<double>(Banner + "real general\n1 1 1\n1 1 1\n", new() { Kernel = new() { MaxDegreeOfParallelism = -1 } })).ParamName);

    [Fact]
    public void ManyPiecesOnAnyNumberOfThreads()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(12_000, 30_000, 8, 1);
        string path = Path.GetTempFileName();
        try
        {
            MatrixMarket.Write(path, matrix);
            Assert.True(new FileInfo(path).Length > 2 << 20);
            foreach (int threads in new[] { 1, 2, 7 })
                SpGemmCases.AssertSame(matrix, MatrixMarket.Read<double>(path, new() { Kernel = new() { MaxDegreeOfParallelism = threads } }));
            // The first of two faults, in different pieces, and blank lines between entries.
            string[] lines = File.ReadAllLines(path);
            lines[70_000] += "\n";
            File.WriteAllLines(path, lines);
            SpGemmCases.AssertSame(matrix, MatrixMarket.Read<double>(path));
            (lines[50_000], lines[90_000]) = ("1 x 1", "0 0 0");
            File.WriteAllLines(path, lines);
            Assert.Equal(50_001, Assert.Throws<KernelFormatException>(() => MatrixMarket.Read<double>(path)).Line);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        CsrMatrix<double> general = SpGemmCases.Random(20, 30, 0.2, 2, SpGemmCases.Number), symmetric = SpGemm.MultiplyByTranspose(general);
        Back(general, default);
        Back(general.WithValues<float>(Array.ConvertAll(general.Values.ToArray(), v => (float)v)), default);
        Back(symmetric, new() { Symmetry = MatrixMarketSymmetry.Symmetric, Comment = "two\nlines" });
        Back(symmetric, new() { IsArray = true });
        Back(Sparse.Add(general, general.WithValues<double>(new double[general.EntryCount])), new() { IsArray = false });
        Back(general.WithValues<int>([.. Enumerable.Range(1, (int)general.EntryCount)]), default);
        Back(general.WithValues<bool>([.. Enumerable.Repeat(true, (int)general.EntryCount)]), new() { IsPattern = true });
        Back(CsrMatrix.FromDense<Complex>([1, new(2, -3), new(2, 3), 4], 2, 2), new() { Symmetry = MatrixMarketSymmetry.Hermitian });
        Back(CsrMatrix.FromDense<long>([0, -5, 5, 0], 2, 2), new() { Symmetry = MatrixMarketSymmetry.SkewSymmetric });
        Back(CsrMatrix.FromDense<long>([0, -5, 5, 0], 2, 2), new() { Symmetry = MatrixMarketSymmetry.SkewSymmetric, IsArray = true });
        Back(CsrMatrix.FromDense<double>([double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.5], 2, 2), default);
        Assert.Equal("Symmetry", Assert.Throws<ArgumentException>(() => Back(general, new() { Symmetry = MatrixMarketSymmetry.Symmetric })).ParamName);
    }

    private static void Back<T>(CsrMatrix<T> matrix, MatrixMarketWriteOptions options) where T : unmanaged, IEquatable<T>
    {
        foreach (string ending in new[] { ".mtx", ".mtx.gz" })
        {
            string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ending);
            try
            {
                MatrixMarket.Write(path, matrix, options);
                SpGemmCases.AssertSame(matrix, MatrixMarket.Read<T>(path));
                Assert.Equal((options.Symmetry, options.IsArray), (MatrixMarket.ReadHeader(path).Symmetry, MatrixMarket.ReadHeader(path).IsArray));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }
}
