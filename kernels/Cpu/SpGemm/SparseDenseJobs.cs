using System.Runtime.CompilerServices;
using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// Rows of sparse times dense: y[r, c] = sum over the row's entries of value times x[column, c], in their order; one column is the product with a vector.
/// </summary>
internal unsafe struct SparseDenseJob<T, TSemiring> : IRangeJob
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    public CsrRows<T> Matrix;

    /// <summary>[columns of the matrix, Width], row-major.</summary>
    public T* Dense;

    /// <summary>[rows of the matrix, Width], row-major.</summary>
    public T* Result;

    public long Width;

    public readonly void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            if (Width == 1)
                Result[row] = Dot(row);
            else
                Combine(row);
        }
    }

    private readonly T Dot(long row)
    {
        T sum = TSemiring.Zero;
        for (long i = Matrix.RowPointers[row]; i < Matrix.RowPointers[row + 1]; i++)
            sum = TSemiring.Add(sum, TSemiring.Multiply(Matrix.Values[i], Dense[Matrix.Columns[i]]));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Combine(long row)
    {
        T* sums = Result + row * Width;
        new Span<T>(sums, (int)Width).Fill(TSemiring.Zero);
        for (long i = Matrix.RowPointers[row]; i < Matrix.RowPointers[row + 1]; i++)
        {
            T value = Matrix.Values[i];
            T* source = Dense + Matrix.Columns[i] * Width;
            for (long c = 0; c < Width; c++)
                sums[c] = TSemiring.Add(sums[c], TSemiring.Multiply(value, source[c]));
        }
    }
}

/// <summary>Sampled dense times dense: for each entry of a pattern, the dot product of a row of one matrix and a row of the other.</summary>
internal unsafe struct SampledDenseJob<T, TSemiring> : IRangeJob
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    public CsrRows<T> Pattern;

    /// <summary>[rows of the pattern, Inner] and [columns of the pattern, Inner], row-major.</summary>
    public T* Left, Right;

    /// <summary>Indexed as the pattern's entries, from its first one on.</summary>
    public T* Result;

    public long Inner;

    public readonly void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            for (long i = Pattern.RowPointers[row]; i < Pattern.RowPointers[row + 1]; i++)
                Result[i - Pattern.RowPointers[0]] = TSemiring.Multiply(Pattern.Values[i], Dot(Left + row * Inner, Right + Pattern.Columns[i] * Inner));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly T Dot(T* left, T* right)
    {
        T sum = TSemiring.Zero;
        for (long k = 0; k < Inner; k++)
            sum = TSemiring.Add(sum, TSemiring.Multiply(left[k], right[k]));
        return sum;
    }
}
