namespace Kernels.Tests;

/// <summary>Masks, accumulation and plans: the plain product, filtered.</summary>
public sealed class SpGemmMaskTests
{
    private static readonly CsrMatrix<double> s_left = SpGemmCases.Random(60, 80, 0.1, 1, SpGemmCases.Number, true),
        s_right = SpGemmCases.Random(80, 70, 0.1, 2, SpGemmCases.Number, true);

    // A third of the entries are explicit zeros.
    private static readonly CsrMatrix<double> s_pattern = SpGemmCases.Random(60, 70, 0.3, 3, random => (double)random.Next(3));

    public static TheoryData<string> Doubles => SpGemmCases.Variants<double>();

    [Theory]
    [MemberData(nameof(Doubles))]
    public void MasksFilterTheProduct(string variant)
    {
        CsrMatrix<double> whole = SpGemm.Multiply(s_left, s_right);
        Dictionary<(int, int), double> entries = Entries(s_pattern);
        foreach (bool isValued in new[] { false, true })
        {
            SpGemmMask mask = isValued ? SpGemmMask.OfValues(s_pattern) : SpGemmMask.Of(s_pattern);
            bool Allowed(int row, int column, double value) => entries.TryGetValue((row, column), out double own) && (!isValued || own != 0);
            SpGemmCases.AssertSame(whole.Select(Allowed), SpGemm.Multiply(s_left, s_right, new() { Mask = mask, Kernel = new() { Variant = variant } }));
            SpGemmCases.AssertSame(whole.Select((r, c, v) => !Allowed(r, c, v)),
                SpGemm.Multiply(s_left, s_right, new() { Mask = mask.Complement(), Kernel = new() { Variant = variant } }));
        }
    }

    // NaN and infinities of both signs in a third of the entries: whatever a masked-out sum comes to, its neighbours are the same bits as without it.
    [Theory]
    [MemberData(nameof(Doubles))]
    public void WhatIsMaskedOutHasNoInfluence(string variant)
    {
        double[] strange = [double.NaN, double.PositiveInfinity, double.NegativeInfinity];
        CsrMatrix<double> Strange(CsrMatrix<double> matrix) =>
            matrix.WithValues<double>([.. matrix.Values.ToArray().Select((value, i) => i % 3 == 0 ? strange[i / 3 % 3] : value)]);
        CsrMatrix<double> left = Strange(s_left), right = Strange(s_right), addend = Strange(SpGemmCases.Random(60, 70, 0.2, 4, SpGemmCases.Number));
        foreach (CsrMatrix<double>? accumulated in new[] { null, addend })
        {
            CsrMatrix<double> whole = SpGemm.Multiply(left, right, new() { Addend = accumulated });
            HashSet<(int, int)> finite = [.. Entries(whole).Where(entry => double.IsFinite(entry.Value)).Select(entry => entry.Key)];
            Assert.InRange(finite.Count, 1, (int)whole.EntryCount - 1);
            CsrMatrix<double> pattern = whole.Select((row, column, _) => finite.Contains((row, column)));
            // A mask of values that lets NaN through, for it is not zero, and explicit zeros of both signs not.
            CsrMatrix<double> valued = whole.WithValues<double>(
                [.. whole.Values.ToArray().Select((value, i) => double.IsFinite(value) ? double.NaN : i % 2 == 0 ? 0.0 : -0.0)]);
            CsrMatrix<double> complement = whole.Select((row, column, _) => !finite.Contains((row, column)));
            foreach (SpGemmMask mask in new[] { SpGemmMask.Of(pattern), SpGemmMask.Of(SpGemmCases.Shuffled(pattern, 5)), SpGemmMask.OfValues(valued),
                SpGemmMask.Of(complement).Complement() })
            {
                foreach (bool dropZeros in new[] { false, true })
                {
                    CsrMatrix<double> product = SpGemm.Multiply(left, right,
                        new() { Mask = mask, Addend = accumulated, DropZeros = dropZeros, Kernel = new() { Variant = variant } });
                    SpGemmCases.AssertSame(dropZeros ? Sparse.Prune(pattern, 0) : pattern, product);
                    Assert.All(product.Values.ToArray(), value => Assert.True(double.IsFinite(value)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Doubles))]
    public void MasksApplyToTheAddendToo(string variant)
    {
        CsrMatrix<double> addend = SpGemmCases.Random(60, 70, 0.2, 4, SpGemmCases.Number);
        Dictionary<(int, int), double> entries = Entries(s_pattern);
        CsrMatrix<double> whole = SpGemm.Multiply(s_left, s_right, new() { Addend = addend });
        SpGemmMask mask = SpGemmMask.Of(s_pattern);
        SpGemmCases.AssertSame(whole.Select((r, c, _) => entries.ContainsKey((r, c))),
            SpGemm.Multiply(s_left, s_right, new() { Addend = addend, Mask = mask, Kernel = new() { Variant = variant } }));
        SpGemmCases.AssertSame(whole.Select((r, c, _) => !entries.ContainsKey((r, c))),
            SpGemm.Multiply(s_left, s_right, new() { Addend = addend, Mask = mask.Complement(), Kernel = new() { Variant = variant } }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void LongRowsInStripesUnderAMask(int threads)
    {
        CsrMatrix<double> left = SpGemmCases.Random(7, 500, 0.01, 5, SpGemmCases.Number, true),
            right = SpGemmCases.Random(500, 4000, 0.5, 6, SpGemmCases.Number);
        CsrMatrix<double> pattern = SpGemmCases.Random(7, 4000, 0.3, 7, SpGemmCases.Number), addend = SpGemmCases.Random(7, 4000, 0.3, 8, SpGemmCases.Number);
        Dictionary<(int, int), double> entries = Entries(pattern), sums = SpGemmOracle.Naive<double, PlusTimes<double>>(left, right, addend);
        CsrMatrix<double> product = SpGemm.Multiply(left, right,
            new() { Mask = SpGemmMask.Of(pattern), Addend = addend, Kernel = new() { MaxDegreeOfParallelism = threads } });
        SpGemmCases.AssertIs(sums.Where(sum => entries.ContainsKey(sum.Key)).ToDictionary(), product);
    }

    [Theory]
    [MemberData(nameof(Doubles))]
    public void PlansGiveTheBitsOfProducts(string variant)
    {
        foreach (SpGemmMask? mask in new[] { null, SpGemmMask.Of(s_pattern), SpGemmMask.Of(s_pattern).Complement() })
        {
            foreach (bool unsorted in new[] { false, true })
            {
                SpGemmOptions<double> options = new() { Mask = mask, Unsorted = unsorted, Kernel = new() { Variant = variant } };
                SpGemmPlan<double> plan = SpGemm.Plan(s_left, s_right, options);
                CsrMatrix<double> expected = SpGemm.Multiply(s_left, s_right, options);
                Assert.Equal(expected.EntryCount, plan.EntryCount);
                SpGemmCases.AssertSame(expected, plan.Multiply(s_left, s_right));
                CsrMatrix<double> other = s_left.WithValues<double>([.. s_left.Values.ToArray().Select(v => 1 / v)]);
                SpGemmCases.AssertSame(SpGemm.Multiply(other, s_right, options), plan.Multiply(other, s_right));
            }
        }
    }

    [Fact]
    public void PlansOfLargeProductsOnAnyNumberOfThreads()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(3000, 3000, 20, 9);
        SpGemmPlan<double> plan = SpGemm.Plan(matrix, matrix, new() { Kernel = new() { MaxDegreeOfParallelism = 3 } });
        Assert.Equal(SpGemm.Count(matrix, matrix).Products, plan.ProductCount);
        SpGemmCases.AssertSame(SpGemm.Multiply(matrix, matrix), plan.Multiply(matrix, matrix));
    }

    private static Dictionary<(int, int), double> Entries(CsrMatrix<double> matrix)
    {
        (int[] rows, int[] columns, double[] values) = matrix.ToCoo();
        return rows.Select((row, i) => i).ToDictionary(i => (rows[i], columns[i]), i => values[i]);
    }
}
