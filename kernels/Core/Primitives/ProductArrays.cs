namespace Kernels.Core.Primitives;

/// <summary>
/// A matrix at a pinned address with a distance between rows and one between columns: a transposed matrix is the same memory with the two exchanged.
/// </summary>
internal unsafe struct StridedMatrix<T>(T* data, long rowStride, long columnStride) where T : unmanaged
{
    public readonly T* Data = data;
    public readonly long RowStride = rowStride, ColumnStride = columnStride;
}

/// <summary>C = A B + bias, or C += A B: A is m x k, B is k x n, C is m x n with rows at a distance, the bias one row or null.</summary>
internal unsafe struct ProductArrays<T> where T : unmanaged
{
    public int RowCount, ColumnCount, InnerCount;
    public StridedMatrix<T> Left, Right;
    public T* Bias, Result;
    public long ResultStride;
    public bool Accumulates;
}
