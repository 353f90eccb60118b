using Kernels.Cpu.SpGemm;

namespace Kernels.Tests;

/// <summary>Sizes beyond 32 bits, limits, allocations and the reuse of memory.</summary>
[Collection(SpGemmCases.NotInParallel)]
public sealed class SpGemmMemoryTests
{
    // A column of ones times a row of ones: 2^17 by 2^17 entries, each of one product.
    private static (CsrMatrix<float> Column, CsrMatrix<float> Row) Outer(int size)
    {
        long[] pointers = [.. Enumerable.Range(0, size + 1).Select(i => (long)i)];
        float[] ones = [.. Enumerable.Repeat(1f, size)];
        return (CsrMatrix.Wrap(size, 1, pointers, new int[size], ones), CsrMatrix.Wrap(1, size, [0, size], [.. Enumerable.Range(0, size)], ones));
    }

    [Fact]
    public void CountsBeyond32BitsAreExactAndRefusedBeforeAllocation()
    {
        (CsrMatrix<float> column, CsrMatrix<float> row) = Outer(1 << 17);
        Assert.Equal(new SpGemmCount(1L << 34, 1L << 34, 1L << 34), SpGemm.Count(column, row));
        long before = GC.GetAllocatedBytesForCurrentThread();
        InsufficientMemoryException refused = Assert.Throws<InsufficientMemoryException>(() =>
            SpGemm.Multiply(column, row, new() { MaxResultBytes = 1L << 36 }));
        Assert.Contains($"{1L << 34}", refused.Message, StringComparison.Ordinal);
        Assert.Throws<OverflowException>(() => SpGemm.Multiply(column, row, new() { MaxResultBytes = long.MaxValue }));
        // Row pointers, and no result.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 24);
    }

    [Fact]
    public void MoreProductsThanBits()
    {
        // 2^31 equal rows are shown by one row of pointers; k rows of 2^20 products each.
        (CsrMatrix<float> column, CsrMatrix<float> row) = Outer(1 << 20);
        Assert.Equal(1L << 40, SpGemm.Count(column, row).Products);
        CsrMatrix<float> sum = SpGemm.Multiply(row, column);
        Assert.Equal((1, 1 << 20), (sum.EntryCount, (int)sum.Values[0]));
    }

    [Fact]
    public void LimitsHoldWhereOnlyTheProductTells()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(300, 300, 10, 1);
        long bytes = SpGemm.Multiply(matrix, matrix).EntryCount * (sizeof(int) + sizeof(double));
        Assert.Equal(bytes, SpGemm.Multiply(matrix, matrix, new() { MaxResultBytes = bytes }).EntryCount * (sizeof(int) + sizeof(double)));
        Assert.Throws<InsufficientMemoryException>(() => SpGemm.Multiply(matrix, matrix, new() { MaxResultBytes = bytes - 1 }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ResultsAreTheOnlyAllocation(int threads)
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(3000, 3000, 12, 2);
        using var workspace = new SpGemmWorkspace();
        SpGemmOptions<double> options = new() { Workspace = workspace, Kernel = new() { MaxDegreeOfParallelism = threads } };
        // The matrix object, the handles' boxes and the workspace lease: no array, and nothing for each row.
        const long enough = 1024;
        long least = AllocationMeter.LeastPerRound(() => workspace.Recycle(SpGemm.Multiply(matrix, matrix, options)), enough);
        Assert.InRange(least, 0, enough);
        SpGemmCases.AssertSame(SpGemm.Multiply(matrix, matrix), SpGemm.Multiply(matrix, matrix, options));
    }

    [Fact]
    public void PlansWithAWorkspaceAllocateNothing()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(1000, 1000, 8, 3);
        using var workspace = new SpGemmWorkspace();
        SpGemmPlan<double> plan = SpGemm.Plan(matrix, matrix, new() { Workspace = workspace, Kernel = new() { MaxDegreeOfParallelism = 1 } });
        var values = new double[plan.EntryCount];
        Assert.Equal(0, AllocationMeter.LeastPerRound(() => plan.MultiplyNumeric<PlusTimes<double>>(matrix, matrix, values)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PeakIsBelowTwiceOperandsAndResult(bool unsorted)
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(10_000, 10_000, 20, 4);
        using var workspace = new SpGemmWorkspace();
        long before = GC.GetAllocatedBytesForCurrentThread();
        CsrMatrix<double> product = SpGemm.Multiply(matrix, matrix,
            new() { Unsorted = unsorted, Workspace = workspace, Kernel = new() { MaxDegreeOfParallelism = 2 } });
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before + workspace.ScratchBytes;
        long operands = 2 * Bytes(matrix), all = operands + Bytes(product);
        Assert.True(operands + allocated < 2 * all, $"{allocated} bytes allocated for {all} bytes of operands and result");
    }

    [Fact]
    public void AnEstimateThatIsTooLowIsMadeGood()
    {
        // Tokens at the sampled places merge into few entries, the others into one for each product.
        const int stride = (int)SpGemmTuning.SampleStride, perRow = 1024;
        int window = (int)Math.Min(SpGemmTuning.TileProducts, SpGemmTuning.WindowEntries(sizeof(float))) / perRow, rows = window * stride * 5;
        int[] columns = new int[rows];
        for (int row = 0; row < rows; row++)
            columns[row] = row / window % stride == 0 ? 0 : 1;
        CsrMatrix<float> left = CsrMatrix.Wrap(rows, 2, [.. Enumerable.Range(0, rows + 1).Select(i => (long)i)], columns, [.. Enumerable.Repeat(1f, rows)]);
        // Row 0 holds one column again and again; row 1 holds as many different ones.
        CsrMatrix<float> right = CsrMatrix.Wrap(2, perRow, [0, perRow, 2 * perRow], [.. new int[perRow], .. Enumerable.Range(0, perRow)],
            [.. Enumerable.Repeat(1f, 2 * perRow)]);
        foreach (int threads in new[] { 1, 3 })
        {
            CsrMatrix<float> product = SpGemm.Multiply(left, right, new() { Kernel = new() { MaxDegreeOfParallelism = threads } });
            for (int row = 0; row < rows; row++)
                Assert.Equal(columns[row] == 0 ? 1 : perRow, product.RowColumns(row).Length);
            Assert.Equal(perRow, product.RowValues(0)[0]);
            Assert.Equal(Enumerable.Range(0, perRow), product.RowColumns(rows - 1).ToArray());
        }
    }

    [Fact]
    public void RecycledMatricesAreGone()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(50, 50, 5, 5);
        using var workspace = new SpGemmWorkspace();
        Assert.Throws<InvalidOperationException>(() => workspace.Recycle(matrix));
        CsrMatrix<double> product = SpGemm.Multiply(matrix, matrix, new() { Workspace = workspace }), viewed = SpGemm.Multiply(matrix, matrix);
        workspace.Recycle(product);
        Assert.Throws<ObjectDisposedException>(() => product.EntryCount);
        viewed.Rows(0, 10);
        Assert.Throws<InvalidOperationException>(() => workspace.Recycle(viewed));
        workspace.Dispose();
        Assert.Throws<ObjectDisposedException>(() => SpGemm.Multiply(matrix, matrix, new() { Workspace = workspace }));
    }

    private static long Bytes<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T> =>
        matrix.EntryCount * (sizeof(int) + System.Runtime.CompilerServices.Unsafe.SizeOf<T>()) + matrix.RowPointers.Length * sizeof(long);
}
