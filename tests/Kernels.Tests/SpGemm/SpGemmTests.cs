using Kernels.Core.SpGemm;
using Kernels.Cpu.SpGemm;

namespace Kernels.Tests;

/// <summary>Products against the dictionary oracle, bit for bit against naive loops, and the same on every variant and number of threads.</summary>
public sealed class SpGemmTests
{
    private const double Tolerance = 64 * 1.1102230246251565e-16;

    public static TheoryData<string> Doubles => SpGemmCases.Variants<double>();

    public static TheoryData<int, int, int, double, bool> Shapes => new()
    {
        { 0, 0, 0, 0, false }, { 0, 5, 12, 0.5, false }, { 12, 0, 5, 0.5, false }, { 12, 5, 0, 0.5, false }, { 1, 1, 1, 1, false }, { 5, 7, 3, 0, false },
        { 40, 30, 50, 0.02, false }, { 40, 30, 50, 0.1, true }, { 70, 64, 65, 0.5, true }, { 200, 300, 250, 0.03, true }, { 3, 200, 5000, 0.1, false },
            { 100, 20, 20_000, 0.02, true },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ProductsAreThoseOfTheOracle(int rows, int inner, int columns, double density, bool denseRow)
    {
        CsrMatrix<double> left = SpGemmCases.Random(rows, inner, density, 1, SpGemmCases.Number, denseRow),
            right = SpGemmCases.Random(inner, columns, density, 2, SpGemmCases.Number, denseRow);
        SpGemmOracle oracle = SpGemmOracle.Multiply(left, right, SpGemmCases.ToComplex);
        Dictionary<(int, int), double> naive = SpGemmOracle.Naive<double, PlusTimes<double>>(left, right);
        foreach (string variant in SpGemmCases.Identities<double>())
        {
            CsrMatrix<double> product = SpGemm.Multiply(left, right, new() { Kernel = new() { Variant = variant } });
            oracle.AssertEqual(product, SpGemmCases.ToComplex, Tolerance);
            SpGemmCases.AssertIs(naive, product);
        }
    }

    [Theory]
    [MemberData(nameof(Doubles))]
    public void UnsortedOperandsWithDuplicates(string variant)
    {
        CsrMatrix<double> left = SpGemmCases.Shuffled(SpGemmCases.Random(60, 80, 0.1, 3, SpGemmCases.Number, true), 4);
        CsrMatrix<double> right = SpGemmCases.Shuffled(SpGemmCases.Random(80, 70, 0.1, 5, SpGemmCases.Number, true), 6);
        Assert.False(left.IsCanonical || right.IsSorted);
        SpGemmCases.AssertIs(SpGemmOracle.Naive<double, PlusTimes<double>>(left, right),
            SpGemm.Multiply(left, right, new() { Kernel = new() { Variant = variant } }));
    }

    [Theory]
    [MemberData(nameof(Doubles))]
    public void UnsortedResultsAreInOrderOfAppearance(string variant)
    {
        CsrMatrix<double> left = SpGemmCases.Random(50, 60, 0.2, 7, SpGemmCases.Number, true),
            right = SpGemmCases.Random(60, 400, 0.1, 8, SpGemmCases.Number, true);
        CsrMatrix<double> product = SpGemm.Multiply(left, right, new() { Unsorted = true, Kernel = new() { Variant = variant } });
        Assert.False(product.IsSorted);
        for (int row = 0; row < product.RowCount; row++)
        {
            List<int> appeared = [];
            foreach (int k in left.RowColumns(row))
                appeared.AddRange(right.RowColumns(k));
            Assert.Equal(appeared.Distinct(), product.RowColumns(row).ToArray());
        }
        SpGemmCases.AssertSame(SpGemm.Multiply(left, right), product.Sort());
    }

    // Columns beyond what dense accumulators, bitmaps and rank sorting serve; rows long enough for stripes, and enough products for several tokens.
    public static TheoryData<string> LargeProducts => ["wide", "banded", "skewed", "long row", "many tokens"];

    [Theory]
    [MemberData(nameof(LargeProducts))]
    public void VariantsAndThreadsGiveTheSameBits(string name)
    {
        (CsrMatrix<double> left, CsrMatrix<double> right) = Large(name);
        CsrMatrix<double> expected = SpGemm.Multiply(left, right, new() { Kernel = new() { MaxDegreeOfParallelism = 1 } });
        CsrMatrix<double> unsorted = SpGemm.Multiply(left, right, new() { Unsorted = true, Kernel = new() { MaxDegreeOfParallelism = 1 } });
        Assert.True(expected.IsCanonical && CsrLayout.Order(expected.RowPointers, expected.Columns) == (true, false));
        SpGemmCases.AssertSame(expected, unsorted.Sort());
        foreach (string variant in SpGemmCases.Identities<double>().Skip(1))
        {
            if (name != "wide" || !variant.EndsWith("dense", StringComparison.Ordinal))
                SpGemmCases.AssertSame(expected, SpGemm.Multiply(left, right, new() { Kernel = new() { Variant = variant, MaxDegreeOfParallelism = 2 } }));
        }
        foreach (int threads in new[] { 2, 3, 7 })
        {
            SpGemmCases.AssertSame(expected, SpGemm.Multiply(left, right, new() { Kernel = new() { MaxDegreeOfParallelism = threads } }));
            SpGemmCases.AssertSame(unsorted, SpGemm.Multiply(left, right, new() { Unsorted = true, Kernel = new() { MaxDegreeOfParallelism = threads } }));
        }
    }

    private static (CsrMatrix<double> Left, CsrMatrix<double> Right) Large(string name)
    {
        switch (name)
        {
            case "wide":
                return (SpGemmCases.Scattered(300, 2000, 20, 1), SpGemmCases.Scattered(2000, 80_000_000, 20, 2));
            case "banded":
                // Narrow rows of a matrix wider than the columns whose dense accumulators stay in the cache.
                CsrMatrix<double> band = Banded((int)(SpGemmTuning.CachedColumns(sizeof(double)) * 5 / 4), halfWidth: 1);
                return (band, band);
            case "skewed":
                return (SpGemmCases.Random(400, 300, 0.05, 11, SpGemmCases.Number, true), SpGemmCases.Random(300, 3000, 0.2, 12, SpGemmCases.Number, true));
            case "long row":
                // One left row of a million products, in stripes; a mask and an addend follow in another test.
                return (SpGemmCases.Random(7, 500, 0.01, 13, SpGemmCases.Number, true), SpGemmCases.Random(500, 4000, 0.5, 14, SpGemmCases.Number));
            default:
                return (SpGemmCases.Scattered(1000, 2000, 20, 15), SpGemmCases.Scattered(2000, 2000, 40, 16));
        }
    }

    private static CsrMatrix<double> Banded(int size, int halfWidth)
    {
        int[] rows = [.. Enumerable.Range(0, size)
            .SelectMany(row => Enumerable.Repeat(row, Math.Min(size, row + halfWidth + 1) - Math.Max(0, row - halfWidth)))];
        int[] columns = [.. Enumerable.Range(0, size)
            .SelectMany(row => Enumerable.Range(Math.Max(0, row - halfWidth), Math.Min(size, row + halfWidth + 1) - Math.Max(0, row - halfWidth)))];
        return CsrMatrix.FromCoo<double>(size, size, rows, columns, [.. rows.Select((row, i) => 1.0 / (1 + row % 7 + columns[i] % 5))]);
    }

    [Fact]
    public void ZerosStayUnlessDropped()
    {
        CsrMatrix<double> left = CsrMatrix.FromDense<double>([1, 1, 0, 2], 2, 2), right = CsrMatrix.FromDense<double>([3, 0, -3, 5], 2, 2);
        Assert.Equal([0, 5, -6, 10], SpGemm.Multiply(left, right).Values.ToArray());
        CsrMatrix<double> dropped = SpGemm.Multiply(left, right, new() { DropZeros = true });
        Assert.Equal([5, -6, 10], dropped.Values.ToArray());
        Assert.Equal([0, 1, 3], dropped.RowPointers.ToArray());
        foreach (string variant in SpGemmCases.Identities<double>())
            SpGemmCases.AssertSame(dropped, SpGemm.Multiply(left, right, new() { DropZeros = true, Kernel = new() { Variant = variant } }));
    }

    [Fact]
    public void NaNInfinitiesAndSignedZerosGoThroughArithmetic()
    {
        CsrMatrix<double> left = CsrMatrix.Wrap(3, 2, [0, 1, 2, 4], [0, 1, 0, 1], new[] { double.NaN, double.PositiveInfinity, -1.0, 0.0 });
        CsrMatrix<double> right = CsrMatrix.Wrap(2, 2, [0, 2, 3], [0, 1, 1], new[] { 0.0, 1.0, 0.0 });
        foreach (string variant in SpGemmCases.Identities<double>())
        {
            CsrMatrix<double> product = SpGemm.Multiply(left, right, new() { Kernel = new() { Variant = variant } });
            Assert.Equal([double.NaN, double.NaN, double.NaN, -0.0, -1.0], product.Values.ToArray());
            Assert.True(double.IsNegative(product.RowValues(2)[0])); // -1 times 0, and nothing added to it
        }
    }

    [Fact]
    public void TransposesAreMultipliedBothWays()
    {
        CsrMatrix<double> matrix = SpGemmCases.Random(30, 50, 0.1, 17, SpGemmCases.Number);
        SpGemmCases.AssertSame(SpGemm.Multiply(matrix, matrix.Transpose()), SpGemm.MultiplyByTranspose(matrix));
        SpGemmCases.AssertSame(SpGemm.Multiply(matrix.Transpose(), matrix), SpGemm.MultiplyTransposeBy(matrix));
    }

    [Fact]
    public void BlocksOfRowsAreTheProduct()
    {
        CsrMatrix<double> left = SpGemmCases.Random(90, 60, 0.1, 18, SpGemmCases.Number), right = SpGemmCases.Random(60, 70, 0.1, 19, SpGemmCases.Number);
        CsrMatrix<double> whole = SpGemm.Multiply(left, right);
        const long most = 4096;
        int next = 0;
        foreach ((int firstRow, CsrMatrix<double> rows) in SpGemm.MultiplyInBlocks(left, right, most))
        {
            Assert.Equal(next, firstRow);
            Assert.InRange(rows.EntryCount * (sizeof(int) + sizeof(double)), 0, most);
            for (int row = 0; row < rows.RowCount; row++)
            {
                Assert.Equal(whole.RowColumns(firstRow + row).ToArray(), rows.RowColumns(row).ToArray());
                Assert.Equal(whole.RowValues(firstRow + row).ToArray(), rows.RowValues(row).ToArray());
            }
            next += rows.RowCount;
        }
        Assert.Equal(left.RowCount, next);
    }

    [Fact]
    public void ViewsOfRowsMultiplyAsTheyAre()
    {
        CsrMatrix<double> left = SpGemmCases.Random(40, 30, 0.2, 20, SpGemmCases.Number), right = SpGemmCases.Random(50, 20, 0.2, 21, SpGemmCases.Number);
        CsrMatrix<double> product = SpGemm.Multiply(left.Rows(7, 20), right.Rows(10, 30));
        SpGemmCases.AssertIs(SpGemmOracle.Naive<double, PlusTimes<double>>(left.Rows(7, 20), right.Rows(10, 30)), product);
    }

    [Fact]
    public void AThreadThatIsHeldUpHoldsNobodyUp()
    {
        // Rows of one left entry and 1024 products; the left value is the number of the token that the row falls into.
        const int perRow = 1024, tokens = 4;
        int window = (int)Math.Min(SpGemmTuning.TileProducts, SpGemmTuning.WindowEntries(sizeof(float))) / perRow, rows = window * tokens;
        CsrMatrix<float> left = CsrMatrix.Wrap(rows, 1, [.. Enumerable.Range(0, rows + 1).Select(i => (long)i)], new int[rows],
            [.. Enumerable.Range(0, rows).Select(row => (float)(row / window))]);
        CsrMatrix<float> right = CsrMatrix.Wrap(1, perRow, [0, perRow], [.. Enumerable.Range(0, perRow)], [.. Enumerable.Repeat(1f, perRow)]);
        CsrMatrix<float> expected = SpGemm.Multiply(left, right, new() { Kernel = new() { MaxDegreeOfParallelism = 1 } });
        HeldUp.Begin();
        SpGemmCases.AssertSame(expected, SpGemm.Multiply<float, HeldUp>(left, right, new() { Kernel = new() { MaxDegreeOfParallelism = 2 } }));
        Assert.True(HeldUp.WasLetGo, "the last token was not reached while the first one waited for it");
    }

    /// <summary>The usual product, but whoever comes first to token 0 stands still until somebody has come to token 3.</summary>
    private readonly struct HeldUp : ISemiring<float>
    {
        private const float First = 0, Last = 3;

        // Longer than a pool of which every thread is busy takes to start another.
        private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

        private static readonly ManualResetEventSlim s_lastReached = new();
        private static int s_firstSeen;

        public static bool WasLetGo { get; private set; }

        public static float Zero => PlusTimes<float>.Zero;

        public static void Begin()
        {
            (s_firstSeen, WasLetGo) = (0, false);
            s_lastReached.Reset();
        }

        public static float Add(float sum, float product) => PlusTimes<float>.Add(sum, product);

        public static float Multiply(float left, float right)
        {
            if (left == First && Interlocked.Exchange(ref s_firstSeen, 1) == 0)
                WasLetGo = s_lastReached.Wait(s_patience);
            else if (left == Last)
                s_lastReached.Set();
            return PlusTimes<float>.Multiply(left, right);
        }
    }
}
