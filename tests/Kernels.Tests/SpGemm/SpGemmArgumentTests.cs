namespace Kernels.Tests;

/// <summary>Bad arguments are refused by name.</summary>
public sealed class SpGemmArgumentTests
{
    public static TheoryData<string, string> BadCalls => new()
    {
        { "falling row pointers", "rowPointers" },
        { "row pointers not from 0", "rowPointers" },
        { "too few row pointers", "rowPointers" },
        { "row pointers beyond the entries", "rowPointers" },
        { "column out of range", "columns" },
        { "negative column", "columns" },
        { "negative row count", "rowCount" },
        { "negative column count", "columnCount" },
        { "more rows than pointers", "rowCount" },
        { "no columns", "columns" },
        { "coordinates of two lengths", "values" },
        { "row out of range", "rows" },
        { "duplicates refused", "columns" },
        { "falling column pointers", "columnPointers" },
        { "dimensions that do not meet", "right" },
        { "no left matrix", "left" },
        { "mask of another shape", "Mask" },
        { "addend of another shape", "Addend" },
        { "negative limit", "MaxResultBytes" },
        { "negative parallelism", "MaxDegreeOfParallelism" },
        { "unknown variant", "Variant" },
        { "plan that drops zeros", "DropZeros" },
        { "plan that accumulates", "Addend" },
        { "plan for another pattern", "left" },
        { "plan for another shape", "right" },
        { "too few values for a plan", "values" },
        { "blocks without bytes", "maxBlockBytes" },
        { "blocks under a mask", "Mask" },
        { "rows that are not there", "count" },
        { "a row behind the last", "row" },
        { "a row before the first", "row" },
        { "a row of values that is not there", "row" },
        { "a row of an empty view", "row" },
        { "values of another number", "values" },
        { "dense of another size", "dense" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void AreRefused(string call, string parameter) => Assert.Equal(parameter, Assert.ThrowsAny<ArgumentException>(() => Call(call)).ParamName);

    private static void Call(string call)
    {
        CsrMatrix<double> square = CsrMatrix.FromDense<double>([1, 2, 0, 4], 2, 2), wide = CsrMatrix.FromDense<double>([1, 2, 3, 4, 5, 6], 2, 3);
        switch (call)
        {
            case "falling row pointers": CsrMatrix.Wrap(2, 2, [0, 2, 1], [0, 1], new double[2]); break;
            case "row pointers not from 0": CsrMatrix.Wrap(1, 2, [1, 2], [0, 1], new double[2]); break;
            case "too few row pointers": CsrMatrix.Wrap(2, 2, [0, 2], [0, 1], new double[2]); break;
            case "row pointers beyond the entries": CsrMatrix.Wrap(1, 2, [0, 3], [0, 1], new double[2]); break;
            case "column out of range": CsrMatrix.Wrap(1, 2, [0, 2], [0, 2], new double[2]); break;
            case "negative column": CsrMatrix.Wrap(1, 2, [0, 2], [0, -1], new double[2]); break;
            case "negative row count": CsrMatrix.Wrap(-1, 2, [0], [], new double[2]); break;
            case "negative column count": CsrMatrix.Wrap(0, -2, [0], [], new double[2]); break;
            case "more rows than pointers": CsrMatrix.FromCoo<double>(int.MaxValue, 1, [], [], []); break;
            case "no columns": CsrMatrix.Wrap(0, 0, [0], null!, new double[2]); break;
            case "coordinates of two lengths": CsrMatrix.FromCoo<double>(2, 2, [0, 1], [0, 1], [1]); break;
            case "row out of range": CsrMatrix.FromCoo<double>(2, 2, [0, 2], [0, 1], [1, 2]); break;
            case "duplicates refused": CsrMatrix.FromCoo<double>(2, 2, [0, 0], [1, 1], [1, 2], DuplicateEntries.Refuse); break;
            case "falling column pointers": CsrMatrix.FromCsc<double>(2, 2, [0, 2, 1], [0, 1], [1, 2]); break;
            case "dimensions that do not meet": SpGemm.Multiply(wide, square); break;
            case "no left matrix": SpGemm.Multiply(null!, square); break;
            case "mask of another shape": SpGemm.Multiply(square, square, new() { Mask = SpGemmMask.Of(wide) }); break;
            case "addend of another shape": SpGemm.Multiply(square, square, new() { Addend = wide }); break;
            case "negative limit": SpGemm.Multiply(square, square, new() { MaxResultBytes = -1 }); break;
            case "negative parallelism": SpGemm.Multiply(square, square, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            case "unknown variant": SpGemm.Multiply(square, square, new() { Kernel = new() { Variant = "sp_gemm/f64/cpu/abacus" } }); break;
            case "plan that drops zeros": SpGemm.Plan(square, square, new() { DropZeros = true }); break;
            case "plan that accumulates": SpGemm.Plan(square, square, new() { Addend = square }); break;
            case "plan for another pattern": SpGemm.Plan(square, square).Multiply(CsrMatrix.FromDense<double>([1, 2, 3, 0], 2, 2), square); break;
            case "plan for another shape": SpGemm.Plan(square, square).Multiply(square, wide); break;
            case "too few values for a plan": SpGemm.Plan(square, square).MultiplyNumeric<PlusTimes<double>>(square, square, new double[2]); break;
            case "blocks without bytes": SpGemm.MultiplyInBlocks(square, square, 0); break;
            case "blocks under a mask": SpGemm.MultiplyInBlocks(square, square, 1, new() { Mask = SpGemmMask.Of(square) }); break;
            case "rows that are not there": square.Rows(1, 2); break;
            case "a row behind the last": square.RowColumns(2); break;
            case "a row before the first": square.Rows(1, 1).RowColumns(-1); break;
            case "a row of values that is not there": square.RowValues(int.MaxValue); break;
            case "a row of an empty view": square.Rows(2, 0).RowValues(0); break;
            case "values of another number": square.WithValues<double>([1, 2]); break;
            case "dense of another size": CsrMatrix.FromDense<double>([1, 2], 2, 2); break;
            default: throw new InvalidOperationException(call);
        }
    }

    [Fact]
    public void OtherTypesAreRefused()
    {
        Assert.Throws<NotSupportedException>(() => SpGemm.Multiply(CsrMatrix.FromDense<byte>([1], 1, 1), CsrMatrix.FromDense<byte>([1], 1, 1)));
        // Types that other families have kernels for.
        Assert.Throws<NotSupportedException>(() => SpGemm.Multiply(CsrMatrix.FromDense<uint>([1], 1, 1), CsrMatrix.FromDense<uint>([1], 1, 1)));
        Assert.Throws<NotSupportedException>(() => SpGemm.Count(CsrMatrix.FromDense<Half>([(Half)1], 1, 1), CsrMatrix.FromDense<Half>([(Half)1], 1, 1)));
        Assert.Throws<NotSupportedException>(() => MatrixMarket.Write("refused.mtx", CsrMatrix.FromDense<ushort>([1], 1, 1)));
    }

    [Fact]
    public void CancelledCallsThrow()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(10, 10, 3, 1);
        Assert.Throws<OperationCanceledException>(() =>
            SpGemm.Multiply(matrix, matrix, new() { Kernel = new() { CancellationToken = new CancellationToken(canceled: true) } }));
    }
}
