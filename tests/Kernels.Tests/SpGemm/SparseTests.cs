using Kernels.Core.SpGemm;

namespace Kernels.Tests;

/// <summary>Conversions and the operations around the product, against dense loops.</summary>
public sealed class SparseTests
{
    private static readonly CsrMatrix<double> s_left = SpGemmCases.Random(20, 30, 0.2, 1, SpGemmCases.Number, true),
        s_right = SpGemmCases.Random(20, 30, 0.2, 2, SpGemmCases.Number);

    private static double[] Dense(CsrMatrix<double> matrix)
    {
        var dense = new double[matrix.RowCount * matrix.ColumnCount];
        (int[] rows, int[] columns, double[] values) = matrix.ToCoo();
        for (int i = 0; i < rows.Length; i++)
            dense[rows[i] * matrix.ColumnCount + columns[i]] += values[i];
        return dense;
    }

    private static double[] Map(Func<int, int, double> value, int rows, int columns) =>
        [.. Enumerable.Range(0, rows * columns).Select(i => value(i / columns, i % columns))];

    [Fact]
    public void FormatsAreConvertedThereAndBack()
    {
        (int[] rows, int[] columns, double[] values) = s_left.ToCoo();
        SpGemmCases.AssertSame(s_left, CsrMatrix.FromCoo<double>(20, 30, rows, columns, values, DuplicateEntries.Refuse));
        (long[] columnPointers, int[] cscRows, double[] cscValues) = s_left.ToCsc();
        SpGemmCases.AssertSame(s_left, CsrMatrix.FromCsc<double>(20, 30, columnPointers, cscRows, cscValues));
        SpGemmCases.AssertSame(s_left, s_left.Transpose().Transpose());
        Assert.Equal(Map((r, c) => Dense(s_left)[c * 30 + r], 30, 20), Dense(s_left.Transpose()));
        SpGemmCases.AssertSame(s_left, CsrMatrix.FromDense<double>(Dense(s_left), 20, 30));
        SpGemmCases.AssertSame(s_left, CsrMatrix.FromCsr<double>(20, 30, Array.ConvertAll(s_left.RowPointers.ToArray(), p => (int)p), s_left.Columns,
            s_left.Values));
        SpGemmCases.AssertSame(s_left.Rows(3, 10).Sort(), s_left.Rows(3, 10));
        Assert.Equal(Dense(s_left)[90..390], Dense(s_left.Rows(3, 10)));
        SpGemmCases.AssertSame(CsrMatrix.FromDense<double>(Dense(s_left)[90..390], 10, 30), s_left.Rows(3, 10).Transpose().Transpose());
    }

    [Fact]
    public void DuplicatesAreSummedKeptOrRefused()
    {
        int[] rows = [1, 0, 1, 1], columns = [2, 0, 0, 2];
        double[] values = [1, 2, 3, 4];
        Assert.Equal([2, 3, 5], CsrMatrix.FromCoo<double>(2, 3, rows, columns, values).Values.ToArray());
        CsrMatrix<double> kept = CsrMatrix.FromCoo<double>(2, 3, rows, columns, values, DuplicateEntries.Keep);
        Assert.Equal(([2.0, 3, 1, 4], true, true, false), (kept.Values.ToArray(), kept.IsSorted, kept.HasDuplicates, kept.IsCanonical), new TupleComparer());
        Assert.Equal([2, 3, 5], kept.SumDuplicates<PlusTimes<double>>().Values.ToArray());
        Assert.Contains("row 1, column 2",
            Assert.Throws<ArgumentException>(() => CsrMatrix.FromCoo<double>(2, 3, rows, columns, values, DuplicateEntries.Refuse)).Message,
            StringComparison.Ordinal);
        Assert.Equal([true, true, true], CsrMatrix.FromCoo<bool, OrAnd>(2, 3, rows, columns, [true, true, true, false]).Values.ToArray());
        CsrMatrix<double> shuffled = SpGemmCases.Shuffled(s_left, 3);
        Assert.Equal(Dense(s_left), Dense(shuffled.SumDuplicates<PlusTimes<double>>()));
        Assert.True(shuffled.SumDuplicates<PlusTimes<double>>().IsCanonical);
    }

    private sealed class TupleComparer : IEqualityComparer<(double[] Values, bool, bool, bool)>
    {
        public bool Equals((double[] Values, bool, bool, bool) x, (double[] Values, bool, bool, bool) y) =>
            x.Values.AsSpan().SequenceEqual(y.Values) && (x.Item2, x.Item3, x.Item4) == (y.Item2, y.Item3, y.Item4);

        public int GetHashCode((double[] Values, bool, bool, bool) tuple) => 0;
    }

    [Fact]
    public void ElementByElement()
    {
        double[] left = Dense(s_left), right = Dense(s_right);
        CsrMatrix<double> sum = Sparse.Add(s_left, s_right), product = Sparse.MultiplyElements(s_left, s_right);
        Assert.Equal(left.Zip(right, (a, b) => a + b), Dense(sum));
        Assert.Equal(left.Zip(right, (a, b) => a * b), Dense(product));
        Assert.Equal(left.Zip(right).Count(p => p.First != 0 || p.Second != 0), sum.EntryCount);
        Assert.Equal(left.Zip(right).Count(p => p.First != 0 && p.Second != 0), product.EntryCount);
        Assert.True(sum.IsCanonical && product.IsCanonical);
    }

    /// <summary>Many rows of very different lengths, cut among threads: the same matrix whatever their number, and a cancelled call ends.</summary>
    [Fact]
    public void ElementByElementOnAnyNumberOfThreads()
    {
        CsrMatrix<float> left = Ragged(1500, 7), right = Ragged(1500, 11), small = Ragged(40, 3);
        foreach (int threads in new[] { 2, 3 })
        {
            KernelOptions one = new() { MaxDegreeOfParallelism = 1 }, more = new() { MaxDegreeOfParallelism = threads };
            AssertSame(Sparse.Add(left, right, one), Sparse.Add(left, right, more));
            AssertSame(Sparse.MultiplyElements(left, right, one), Sparse.MultiplyElements(left, right, more));
            AssertSame(Sparse.Kronecker(small, small, one), Sparse.Kronecker(small, small, more));
        }
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Sparse.Add(left, right, new() { CancellationToken = source.Token }));

        static void AssertSame(CsrMatrix<float> expected, CsrMatrix<float> actual)
        {
            Assert.Equal(expected.RowPointers, actual.RowPointers);
            Assert.Equal(expected.Columns, actual.Columns);
            Assert.Equal(expected.Values, actual.Values);
        }
    }

    // Rows of none to a seventh of the columns: every fourth is empty, the others begin and step by their number.
    private static CsrMatrix<float> Ragged(int size, int step)
    {
        List<int> rows = [], columns = [];
        for (int row = 0; row < size; row++)
        {
            for (int column = row % 5 == 0 ? 0 : row % 97; column < size && row % 4 != 3; column += (row % 9 + 1) * step)
            {
                rows.Add(row);
                columns.Add(column);
            }
        }
        return CsrMatrix.FromCoo<float>(size, size, [.. rows], [.. columns], [.. columns.Select((column, i) => column - i % 3 + 0.25f)]);
    }

    [Fact]
    public void ScaledPrunedAndReduced()
    {
        double[] dense = Dense(s_left), rowFactors = Map((r, c) => r - 3, 20, 1), columnFactors = Map((r, c) => r + 0.5, 30, 1);
        Assert.Equal(Map((r, c) => dense[r * 30 + c] * rowFactors[r], 20, 30), Dense(Sparse.ScaleRows(s_left, rowFactors)));
        Assert.Equal(Map((r, c) => dense[r * 30 + c] * columnFactors[c], 20, 30), Dense(Sparse.ScaleColumns(s_left, columnFactors)));
        Assert.Equal(dense.Select(v => Math.Abs(v) <= 0.25 ? 0 : v), Dense(Sparse.Prune(s_left, 0.25)));
        Assert.Equal(Sparse.ScaleRows(s_left, rowFactors).EntryCount - s_left.RowColumns(3).Length,
            Sparse.Prune(Sparse.ScaleRows(s_left, rowFactors), 0).EntryCount);
        double[] rowSums = new double[20], columnSums = new double[30];
        Sparse.ReduceRows<double, PlusTimes<double>>(s_left, rowSums);
        Sparse.ReduceColumns<double, MaxTimes<double>>(s_left, columnSums);
        Assert.Equal(Map((r, _) => s_left.RowValues(r).ToArray().Sum(), 20, 1), rowSums);
        CsrMatrix<double> transpose = s_left.Transpose();
        Assert.Equal(Map((c, _) => transpose.RowValues(c).ToArray().Append(double.NegativeInfinity).Max(), 30, 1), columnSums);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WithDenseOperands(int threads)
    {
        const int width = 5;
        KernelOptions options = new() { MaxDegreeOfParallelism = threads };
        double[] dense = Map((r, c) => Math.Sin(r * width + c), 30, width), result = new double[20 * width], expected = new double[20 * width];
        for (int row = 0; row < 20; row++)
        {
            for (int i = 0; i < s_left.RowColumns(row).Length; i++)
            {
                for (int c = 0; c < width; c++)
                    expected[row * width + c] += s_left.RowValues(row)[i] * dense[s_left.RowColumns(row)[i] * width + c];
            }
        }
        Sparse.MultiplyDense<double>(s_left, dense, width, result, options);
        Assert.Equal(expected, result);
        double[] column = Map((r, _) => dense[r * width], 30, 1), vector = new double[20];
        Sparse.MultiplyVector<double>(s_left, column, vector, options);
        Assert.Equal(Map((r, _) => expected[r * width], 20, 1), vector);
        double[] rows = Map((r, c) => Math.Cos(r + c), 20, width);
        CsrMatrix<double> sampled = Sparse.MultiplySampled<double>(s_left, rows, dense, width, options);
        Assert.Equal(s_left.EntryCount, sampled.EntryCount);
        for (int row = 0; row < 20; row++)
        {
            for (int i = 0; i < s_left.RowColumns(row).Length; i++)
            {
                double dot = Enumerable.Range(0, width).Sum(k => rows[row * width + k] * dense[s_left.RowColumns(row)[i] * width + k]);
                Assert.Equal(s_left.RowValues(row)[i] * dot, sampled.RowValues(row)[i], 1e-14);
            }
        }
        Assert.Equal("result", Assert.Throws<ArgumentException>(() => Sparse.MultiplyDense<double>(s_left, dense, width, new double[3])).ParamName);
        Assert.Equal("result", Assert.Throws<ArgumentException>(() => Sparse.MultiplyVector(s_left, column, column.AsSpan(0, 20))).ParamName);
        Assert.Equal("factors", Assert.Throws<ArgumentException>(() => Sparse.ScaleRows<double>(s_left, new double[3])).ParamName);
        Assert.Equal("right", Assert.Throws<ArgumentException>(() => Sparse.Add(s_left, s_left.Transpose())).ParamName);
    }

    [Fact]
    public void KroneckerProductsAreBlocks()
    {
        CsrMatrix<double> small = CsrMatrix.FromDense<double>([1, 0, 2, 0, 3, 4], 2, 3);
        double[] dense = Dense(s_left), expected = Map((r, c) => Dense(small)[r / 20 * 3 + c / 30] * dense[r % 20 * 30 + c % 30], 40, 90);
        CsrMatrix<double> product = Sparse.Kronecker(small, s_left);
        Assert.Equal(expected, Dense(product));
        Assert.True(product.IsCanonical && CsrLayout.Order(product.RowPointers, product.Columns) == (true, false));
    }

    [Fact]
    public void TrianglesOfACompleteGraph()
    {
        CsrMatrix<int> complete = CsrMatrix.FromDense<int>([.. Enumerable.Repeat(1, 144)], 12, 12);
        Assert.Equal(12 * 11 * 10 / 6, Sparse.CountTriangles(complete));
    }

    [Theory]
    [InlineData("upper triangle", "(0, 1)")]
    [InlineData("lower triangle", "(1, 0)")]
    [InlineData("directed cycle", "(0, 1)")]
    [InlineData("one edge too many", "(3, 1)")]
    public void TrianglesOfAPatternThatIsNotSymmetricAreRefused(string what, string place)
    {
        int[] from = [0, 0, 1], to = [1, 2, 2];
        (int[] rows, int[] columns) = what switch
        {
            "upper triangle" => (from, to),
            "lower triangle" => (to, from),
            "directed cycle" => ([0, 1, 2], [1, 2, 0]),
            _ => ((int[])[.. from, .. to, 3], (int[])[.. to, .. from, 1]),
        };
        CsrMatrix<int> graph = CsrMatrix.FromCoo<int>(4, 4, rows, columns, [.. rows.Select(_ => 1)]);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Sparse.CountTriangles(graph));
        Assert.Equal("adjacency", refused.ParamName);
        Assert.Contains($"{place} has an entry and", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, Sparse.CountTriangles(Sparse.Add(graph, graph.Transpose())));
    }

    [Fact]
    public void KroneckerProductsThatAreTooLargeAreRefusedByName()
    {
        CsrMatrix<double> tall = CsrMatrix.Wrap<double>(50_000, 1, new long[50_001], [], []), wide = CsrMatrix.Wrap<double>(1, 50_000, [0, 0], [], []);
        Assert.Equal("right", Assert.Throws<ArgumentOutOfRangeException>(() => Sparse.Kronecker(tall, tall)).ParamName);
        Assert.Equal("right", Assert.Throws<ArgumentOutOfRangeException>(() => Sparse.Kronecker(wide, wide)).ParamName);
        Assert.Equal((50_000, 50_000), (Sparse.Kronecker(tall, wide).RowCount, Sparse.Kronecker(tall, wide).ColumnCount));
    }

    [Fact]
    public void GalerkinIsTwoProducts()
    {
        CsrMatrix<double> square = SpGemmCases.Random(30, 30, 0.2, 4, SpGemmCases.Number);
        SpGemmCases.AssertSame(SpGemm.Multiply(s_left, SpGemm.Multiply(square, s_left.Transpose())), Sparse.Galerkin(s_left, square, s_left.Transpose()));
    }
}
