using System.Numerics;
using System.Text;

namespace Kernels.Tests;

/// <summary>Matrix Market texts: every field, symmetry and format, what is refused and where, and back again.</summary>
public sealed class MatrixMarketTests
{
    private static CsrMatrix<T> Parse<T>(string text, MatrixMarketOptions options = default) where T : unmanaged, IEquatable<T> =>
        MatrixMarket.Parse<T>(Encoding.Latin1.GetBytes(text), options);

    private const string Banner = "%%MatrixMarket matrix coordinate ";

    [Fact]
    public void FieldsAndSymmetries()
    {
        SpGemmCases.AssertSame(CsrMatrix.FromDense<double>([1.5, 0, 0, -2e3], 2, 2),
            Parse<double>(Banner + "real general\n% comment\n\n2 2 2\n1 1 1.5\n2 2 -2E+3\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<int>([1, 5, 5, 0], 2, 2), Parse<int>(Banner + "integer symmetric\r\n2 2 2\r\n1 1 1\r\n2 1 5\r\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<float>([0, -5, 5, 0], 2, 2), Parse<float>(Banner + "real skew-symmetric\n2 2 1\n2 1 5"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<Complex>([1, new(2, -3), new(2, 3), 4], 2, 2),
            Parse<Complex>(Banner + "complex hermitian\n2 2 3\n1 1 1 0\n2 1 2 3\n2 2 4 0\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<bool>([false, true, false, false], 2, 2), Parse<bool>(Banner + "pattern general\n2 2 1\n1 2\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<long>([1, 3, 5, 2, 0, 6], 2, 3),
            Parse<long>("%%MatrixMarket MATRIX Array Integer General\n2 3\n1\n2\n3\n0\n5\n6\n"));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<double>([0, 7, 0], 3, 1), Parse<double>("%%MatrixMarket vector coordinate real general\n3 1\n2 7\n"));
    }

    [Fact]
    public void NumbersAreRoundedAsTheRuntimeRoundsThem()
    {
        var random = new Random(1);
        List<string> words = ["0", "-0", "+1.", ".5", "1e22", "1e23", "9007199254740993", "1.7976931348623157e308", "4.9e-324",
            "123456789012345678901234567890", "0.1", "-2.2250738585072014e-308", "00012.500", "1e-9223372036854775808", "-3E-99999999999999999999"];
        for (int i = 0; i < 2000; i++)
            words.Add(BitConverter.UInt64BitsToDouble((ulong)random.NextInt64() & ~(1UL << 62))
                .ToString(i % 2 == 0 ? "R" : "E8", System.Globalization.CultureInfo.InvariantCulture));
        for (int i = 0; i < 2000; i++)
            words.Add(FormattableString.Invariant($"{random.Next()}.{random.Next()}e{random.Next(-12, 12)}"));
        CsrMatrix<double> read = Parse<double>($"{Banner}real general\n1 {words.Count} {words.Count}\n"
            + string.Concat(words.Select((word, i) => $"1 {i + 1} {word}\n")));
        Assert.Equal(words.Select(word => BitConverter.DoubleToInt64Bits(double.Parse(word, System.Globalization.CultureInfo.InvariantCulture))),
            read.Values.ToArray().Select(BitConverter.DoubleToInt64Bits));
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
        { Banner + "real general\n2 2 2\n% row col val\n1 1 1\n2 2 2\n", 3 },
        { Banner + "real general\n2 2 2\n1 1 1\n2 2 2 % last\n", 4 },
        { Banner + "real skew-symmetric\n3 3 2\n2 1 5\n3 3 0\n", 4 },
        { Banner + "real general\n1 1 1\n1 1 1.5D+02\n", 3 },
        { Banner + "real general\n1 1 1\n1 1 infinit\n", 3 },
        { Banner + "integer general\n1 1 1\n1 1 99999999999999999999.5\n", 3 },
        { Banner + "integer general\n1 1 1\n1 1 -\n", 3 },
        { "\u00EF\u00BB\u00BF" + Banner + "real general\n1 1 1\n1 1 1\n", 1 },
        { Banner + "real general\n2147483590 2147483590 1\n1 1 1\n", 2 },
        { "%%MatrixMarket vector coordinate real general\n2000000000 1\n1 1\n", 2 },
        { "%%MatrixMarket matrix array real general\n2000000000 0\n", 2 },
        { "%%MatrixMarket matrix array real general\n2147483590 2147483590\n1\n", 3 },
    };

    [Theory]
    [MemberData(nameof(BadTexts))]
    public void BadTextsAreRefusedWithTheirLine(string text, int line) =>
        Assert.Equal(line, Assert.Throws<TensorFileException>(() => Parse<double>(text)).Line);

    [Fact]
    public void ValuesThatDoNotFitAreRefused()
    {
        Assert.Throws<TensorFileException>(() => Parse<int>(Banner + "integer general\n1 1 1\n1 1 2147483648\n"));
        Assert.Throws<TensorFileException>(() => Parse<long>(Banner + "integer general\n1 1 1\n1 1 9223372036854775808\n"));
        Assert.Equal(long.MinValue, Parse<long>(Banner + "integer general\n1 1 1\n1 1 -9223372036854775808\n").Values[0]);
        Assert.Throws<TensorFileException>(() => Parse<float>(Banner + "real general\n1 1 1\n1 1 1e39\n"));
        Assert.Throws<TensorFileException>(() => Parse<int>(Banner + "real general\n1 1 1\n1 1 1\n"));
        Assert.Throws<TensorFileException>(() => Parse<double>(Banner + "real general\n1 1 2\n1 1 1\n1 1 2\n", new() { Duplicates = DuplicateEntries.Refuse }));
        Assert.Equal(3, Parse<double>(Banner + "real general\n1 1 2\n1 1 1\n1 1 2\n").Values[0]);
    }

    [Theory]
    [InlineData("integer skew-symmetric\n2 2 1\n2 1 -2147483648\n")]
    [InlineData("integer skew-symmetric\n3 3 2\n2 1 1\n3 1 -2147483648\n")]
    public void MirrorImagesThatDoNotFitAreRefused(string text)
    {
        TensorFileException refused = Assert.Throws<TensorFileException>(() => Parse<int>(Banner + text));
        Assert.Contains("mirror image of -2147483648", refused.Message, StringComparison.Ordinal);
        Assert.Equal(text.Count(c => c == '\n'), refused.Line);
        Assert.Equal(2147483648, Parse<long>(Banner + text).Values.ToArray().Max());
        Assert.Throws<TensorFileException>(() => Parse<long>(Banner + text.Replace("-2147483648", "-9223372036854775808", StringComparison.Ordinal)));
        Assert.Throws<TensorFileException>(() => Parse<int>("%%MatrixMarket matrix array integer skew-symmetric\n2 2\n-2147483648\n"));
    }

    [Fact]
    public void MirrorImagesThatDoNotFitAreNotWritten()
    {
        Refused(CsrMatrix.FromDense<int>([0, int.MinValue, int.MinValue, 0], 2, 2), MatrixMarketSymmetry.SkewSymmetric);
        Refused(CsrMatrix.FromDense<long>([0, long.MinValue, long.MinValue, 0], 2, 2), MatrixMarketSymmetry.SkewSymmetric);
    }

    private static void Refused<T>(CsrMatrix<T> matrix, MatrixMarketSymmetry symmetry) where T : unmanaged, IEquatable<T> =>
        Assert.Equal("Symmetry", Assert.Throws<ArgumentException>(() => Back(matrix, new() { Symmetry = symmetry })).ParamName);

    private static CsrMatrix<T> Pair<T>(T below, T above) where T : unmanaged, IEquatable<T> => CsrMatrix.Wrap(2, 2, [0, 1, 2], [1, 0], [above, below]);

    [Fact]
    public void ZerosOfBothSignsAreReadBackOrRefused()
    {
        Back(Pair(0.0, 0.0), new() { Symmetry = MatrixMarketSymmetry.Symmetric });
        Back(Pair(-0f, -0f), new() { Symmetry = MatrixMarketSymmetry.Symmetric });
        Back(Pair(0.0, 0.0), new() { Symmetry = MatrixMarketSymmetry.SkewSymmetric });
        Back(Pair(-0.0, 0.0), new() { Symmetry = MatrixMarketSymmetry.SkewSymmetric });
        Back(Pair(new Complex(2, 0), new(2, 0)), new() { Symmetry = MatrixMarketSymmetry.Hermitian });
        Back(CsrMatrix.FromDense<Complex>([new(1, -0.0), new(2, 0), new(2, -0.0), 4], 2, 2), new() { Symmetry = MatrixMarketSymmetry.Hermitian });
        Refused(Pair(0.0, -0.0), MatrixMarketSymmetry.Symmetric);
        Refused(Pair(-0f, 0f), MatrixMarketSymmetry.Symmetric);
        Refused(Pair(new Complex(-0.0, 1), new(0, 1)), MatrixMarketSymmetry.Symmetric);
        Refused(Pair(0.0, -0.0), MatrixMarketSymmetry.SkewSymmetric);
        Refused(Pair(new Complex(2, 0), new(2, -0.0)), MatrixMarketSymmetry.Hermitian);
        Refused(CsrMatrix.FromDense<Complex>([new(1, 2)], 1, 1), MatrixMarketSymmetry.Hermitian);
    }

    [Fact]
    public void LenientTakesWhatOthersWrite()
    {
        MatrixMarketOptions lenient = new() { Lenient = true };
        CsrMatrix<double> expected = CsrMatrix.FromDense<double>([150, 0, 0, -0.25], 2, 2);
        SpGemmCases.AssertSame(expected,
            Parse<double>("\u00EF\u00BB\u00BF  " + Banner + "real general\n % c\n2 2 2\n% row col val\n1 1 1.5D+02 % first\n\n  % between\n2 2 -2500d-4\n%\n",
            lenient));
        SpGemmCases.AssertSame(expected, Parse<double>("%%MatrixMarket matrix array real general\n2 2\n150\n% c\n0 % d\n0\n-0.2500000000000000000000000D0\n",
            lenient));
        CsrMatrix<double> skew = Parse<double>(Banner + "real skew-symmetric\n3 3 4\n1 1 0\n2 1 5\n2 2 -0.0\n3 3 0\n", lenient);
        Assert.Equal([0, -5, 5, 0, 0], skew.Values.ToArray());
        Assert.Equal([0, 1, 0, 1, 2], skew.Columns.ToArray());
        Assert.Contains("5 is on the diagonal",
            Assert.Throws<TensorFileException>(() => Parse<double>(Banner + "real skew-symmetric\n3 3 1\n2 2 5\n", lenient)).Message, StringComparison.Ordinal);
        Assert.Contains("a comment among the entries",
            Assert.Throws<TensorFileException>(() => Parse<double>(Banner + "real general\n1 1 1\n1 1 1 % c\n")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IntegersOfAnyLengthAreReadAsFloatingPoint()
    {
        string[] words = ["18446744073709551615", "-9223372036854775809", "00000000000000000000000000000000000017", "+0", "9223372036854775807",
            "36893488147419103233", "16777217", "18446745173221179391"];
        string text = $"{Banner}unsigned-integer general\n1 {words.Length} {words.Length}\n" + string.Concat(words.Select((word, i) => $"1 {i + 1} {word}\n"));
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        Assert.Equal(words.Select(word => double.Parse(word, invariant)), Parse<double>(text).Values.ToArray());
        Assert.Equal(words.Select(word => new Complex(double.Parse(word, invariant), 0)), Parse<Complex>(text).Values.ToArray());
        Assert.Equal(words.Select(word => float.Parse(word, invariant)), Parse<float>(text).Values.ToArray());
        Assert.Throws<TensorFileException>(() => Parse<long>(text));
        Assert.Equal([17L], Parse<long>($"{Banner}integer general\n1 1 1\n0001 00000000000000000000001 {words[2]}\n").Values.ToArray());
    }

    [Fact]
    public void FloatsAreRoundedOnce()
    {
        // Just above half-way between two floats: half-way as doubles, and from there to even. One and a half of the least denormal, too.
        string[] words = ["1.00000005960464477539062500000000001", "16777217.0000000001", "2.1019476964872256e-45", "2.10194769648722560638e-45",
            "3.4028235677973366e38", "-1.00000005960464477539062500000000001"];
        Assert.Equal(words[..4].Append(words[5]).Select(word => float.Parse(word, System.Globalization.CultureInfo.InvariantCulture)),
            Parse<float>($"{Banner}real general\n1 5 5\n"
            + string.Concat(words[..4].Append(words[5]).Select((word, i) => $"1 {i + 1} {word}\n"))).Values.ToArray());
        Assert.Equal(1.00000012f, Parse<float>($"{Banner}real general\n1 1 1\n1 1 {words[0]}\n").Values[0]);
        // Just below half-way from the largest float to infinity, and just above.
        Assert.Equal(float.MaxValue, Parse<float>($"{Banner}real general\n1 1 1\n1 1 {words[4]}\n").Values[0]);
        Assert.Throws<TensorFileException>(() => Parse<float>($"{Banner}real general\n1 1 1\n1 1 3.4028235677973367e38\n"));
    }

    [Fact]
    public void InfinityIsAWordInFullToo() =>
        Assert.Equal([double.PositiveInfinity, double.NegativeInfinity, double.PositiveInfinity],
        Parse<double>(Banner + "real general\n1 3 3\n1 1 Infinity\n1 2 -INFINITY\n1 3 +inf\n").Values.ToArray());

    [Theory]
    [InlineData("real general\n2 2 3\n1 1 1\n1 1 2\n2 2 3\n", 4, "(1, 1) has an entry already, on line 3")]
    [InlineData("real general\n2 2 4\n2 2 1\n\n1 1 1\n2 2 3\n1 1 2\n", 6, "(2, 2) has an entry already, on line 3")]
    [InlineData("real symmetric\n2 2 3\n2 1 1\n1 1 2\n2 1 3\n", 5, "(2, 1) has an entry already, on line 3")]
    public void RefusedDuplicatesAreNamedAsTheFileNamesThem(string text, int line, string expected)
    {
        TensorFileException refused = Assert.Throws<TensorFileException>(() => Parse<double>(Banner + text, new() { Duplicates = DuplicateEntries.Refuse }));
        Assert.Equal(line, refused.Line);
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RowsBeyondTheEntriesAreRefusedUnlessAllowed()
    {
        const int rows = 20_000_000;
        string text = $"{Banner}real general\n{rows} 2 1\n{rows} 1 1\n";
        Assert.Contains("MatrixMarketOptions.MaxRows", Assert.Throws<TensorFileException>(() => Parse<double>(text)).Message, StringComparison.Ordinal);
        Assert.Equal(rows, Parse<double>(text, new() { MaxRows = rows }).RowCount);
        Assert.Throws<TensorFileException>(() => Parse<double>(text, new() { MaxRows = rows - 1 }));
        Assert.Equal("MaxRows", Assert.Throws<ArgumentOutOfRangeException>(() => Parse<double>(text, new() { MaxRows = -1 })).ParamName);
        // Two million entries speak for up to 32 million rows.
        byte[] many = Encoding.ASCII.GetBytes($"{Banner}pattern general\n{rows} 2 2000000\n" + string.Concat(Enumerable.Repeat("7 1\n", 2_000_000)));
        Assert.Equal(rows, MatrixMarket.Parse<bool>(many).RowCount);
    }

    [Fact]
    public void NegativeParallelismIsRefused() =>
        Assert.Equal("MaxDegreeOfParallelism",
        Assert.Throws<ArgumentOutOfRangeException>(() =>
        Parse<double>(Banner + "real general\n1 1 1\n1 1 1\n", new() { Kernel = new() { MaxDegreeOfParallelism = -1 } })).ParamName);

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
            Assert.Equal(50_001, Assert.Throws<TensorFileException>(() => MatrixMarket.Read<double>(path)).Line);
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
