using System.Numerics;
using MathNet.Numerics.LinearAlgebra.Storage;
using Matrix = MathNet.Numerics.LinearAlgebra.Double.SparseMatrix;

namespace Kernels.Perf;

/// <summary>Math.NET Numerics, which is what .NET has had for sparse products: f64, sorted, without the zeros that come out of sums, one thread.</summary>
internal static class MathNetProduct
{
    private const string Identity = "rival/mathnet";

    public static RivalStatus Status { get; } = new(Identity, $"Math.NET Numerics {typeof(Matrix).Assembly.GetName().Version}", null);

    public static IContender Open<T>(SpGemmWorkload<T> workload) where T : unmanaged, INumber<T>
    {
        Matrix left = Copy((CsrMatrix<double>)(object)workload.Left), right = Copy((CsrMatrix<double>)(object)workload.Right), result = left;
        return workload.Rival(Identity, 1, () => result = (Matrix)left.Multiply(right), () => ((long[], int[], T[]))(object)Result(result), () => { });
    }

    private static Matrix Copy(CsrMatrix<double> matrix) => new(SparseCompressedRowMatrixStorage<double>.OfCompressedSparseRowFormat(
        matrix.RowCount, matrix.ColumnCount, (int)matrix.EntryCount, Array.ConvertAll(matrix.RowPointers.ToArray(), i => (int)i), matrix.Columns.ToArray(),
        matrix.Values.ToArray()));

    private static (long[] Pointers, int[] Columns, double[] Values) Result(Matrix matrix)
    {
        var storage = (SparseCompressedRowMatrixStorage<double>)matrix.Storage;
        return (Array.ConvertAll(storage.RowPointers, i => (long)i), storage.ColumnIndices[..storage.ValueCount], storage.Values[..storage.ValueCount]);
    }
}
