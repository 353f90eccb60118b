using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.SpGemm;
using Kernels.Cpu.SpGemm;

namespace Kernels;

/// <summary>Operations around the sparse product: with vectors and dense matrices, element by element, reductions, and what is composed of products.</summary>
/// <remarks>
/// <para>Matrices are [m, n] in compressed rows; dense ones are row-major. Sums are formed in the order of a row's entries, each operation rounded on its own;
/// results do not depend on the number of threads. NaN and infinities go through the arithmetic; places without an entry take no part.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written. A result that could have
/// more entries than an array holds (<see cref="Array.MaxLength"/>) throws an <see cref="OverflowException"/>.</para>
/// </remarks>
public static class Sparse
{
    /// <summary>y = A x. O(rows + entries). A row without entries gives the semiring's zero: -0.0, the sum of nothing.</summary>
    /// <param name="matrix">A, [m, n].</param>
    /// <param name="vector">x, n elements.</param>
    /// <param name="result">y, m elements; may not overlap x.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    public static void MultiplyVector<T>(CsrMatrix<T> matrix, ReadOnlySpan<T> vector, Span<T> result, KernelOptions options = default)
        where T : unmanaged, INumberBase<T> =>
        MultiplyDense<T, PlusTimes<T>>(matrix, vector, 1, result, options);

    /// <summary>Y = A X. O((rows + entries) width).</summary>
    /// <param name="matrix">A, [m, n].</param>
    /// <param name="dense">X, [n, width].</param>
    /// <param name="width">The columns of X and Y, at least 1.</param>
    /// <param name="result">Y, [m, width]; may not overlap X.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    public static void MultiplyDense<T>(CsrMatrix<T> matrix, ReadOnlySpan<T> dense, int width, Span<T> result, KernelOptions options = default)
        where T : unmanaged, INumberBase<T> =>
        MultiplyDense<T, PlusTimes<T>>(matrix, dense, width, result, options);

    /// <summary>Y = A X over a semiring.</summary>
    /// <param name="matrix">A, [m, n].</param>
    /// <param name="dense">X, [n, width].</param>
    /// <param name="width">The columns of X and Y, at least 1.</param>
    /// <param name="result">Y, [m, width]; may not overlap X.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    public static void MultiplyDense<T, TSemiring>(CsrMatrix<T> matrix, ReadOnlySpan<T> dense, int width, Span<T> result, KernelOptions options = default)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        Check.Exactly(dense.Length, (long)matrix.ColumnCount * width, nameof(dense));
        result = Check.Written(result, (long)matrix.RowCount * width, nameof(result));
        Check.Disjoint<T, T>(dense, result, nameof(dense), nameof(result));
        Check.KernelWithoutVariants(options, nameof(MultiplyDense));
        SparseDenseCpu.Multiply<T, TSemiring>(matrix, dense, width, result, options);
    }

    /// <summary>
    /// Sampled product of dense matrices (SDDMM): an entry s at (i, j) becomes s times the sum over k of left[i, k] right[j, k]. O(entries inner).
    /// </summary>
    /// <param name="pattern">S, [m, n]; the result shares its pattern.</param>
    /// <param name="left">[m, inner].</param>
    /// <param name="right">[n, inner]: the transpose of the usual right factor.</param>
    /// <param name="inner">Columns of both, at least 0.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    public static CsrMatrix<T> MultiplySampled<T>(CsrMatrix<T> pattern, ReadOnlySpan<T> left, ReadOnlySpan<T> right, int inner, KernelOptions options = default)
        where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentOutOfRangeException.ThrowIfNegative(inner);
        Check.Exactly(left.Length, (long)pattern.RowCount * inner, nameof(left));
        Check.Exactly(right.Length, (long)pattern.ColumnCount * inner, nameof(right));
        Check.KernelWithoutVariants(options, nameof(MultiplySampled));
        var values = new T[pattern.EntryCount];
        SparseDenseCpu.Sample<T, PlusTimes<T>>(pattern, left, right, inner, values, options);
        return pattern.WithValues<T>(values);
    }

    /// <summary>A + B: entries of either, those of both added. Canonical. O(entries).</summary>
    /// <param name="left">A, [m, n].</param>
    /// <param name="right">B, [m, n].</param>
    /// <param name="options">Threads and cancellation.</param>
    public static CsrMatrix<T> Add<T>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default) where T : unmanaged, INumberBase<T> =>
        Add<T, PlusTimes<T>>(left, right, options);

    /// <summary>Entries of either, those of both added by the semiring's addition. Canonical.</summary>
    /// <param name="left">[m, n].</param>
    /// <param name="right">[m, n].</param>
    /// <param name="options">Threads and cancellation.</param>
    public static CsrMatrix<T> Add<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        CheckSameShape(left, right);
        Check.KernelWithoutVariants(options, nameof(Add));
        return SparseMergeCpu.Union<T, TSemiring>(left.SumDuplicates<TSemiring>(), right.SumDuplicates<TSemiring>(), options);
    }

    /// <summary>Entries of both, multiplied (Hadamard product). Canonical. O(entries).</summary>
    /// <param name="left">[m, n].</param>
    /// <param name="right">[m, n].</param>
    /// <param name="options">Threads and cancellation.</param>
    public static CsrMatrix<T> MultiplyElements<T>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default)
        where T : unmanaged, INumberBase<T> =>
        MultiplyElements<T, PlusTimes<T>>(left, right, options);

    /// <summary>Entries of both, multiplied by the semiring's multiplication. Canonical.</summary>
    /// <param name="left">[m, n].</param>
    /// <param name="right">[m, n].</param>
    /// <param name="options">Threads and cancellation.</param>
    public static CsrMatrix<T> MultiplyElements<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        CheckSameShape(left, right);
        Check.KernelWithoutVariants(options, nameof(MultiplyElements));
        return SparseMergeCpu.Intersection<T, TSemiring>(left.SumDuplicates<TSemiring>(), right.SumDuplicates<TSemiring>(), options);
    }

    /// <summary>The Kronecker product, [m p, n q]: block (i, j) is left[i, j] times right. O(entries of the result).</summary>
    /// <param name="left">[m, n].</param>
    /// <param name="right">[p, q].</param>
    /// <param name="options">Threads and cancellation.</param>
    /// <exception cref="ArgumentException">The result has more rows or columns than a matrix can have.</exception>
    /// <exception cref="OverflowException">The result has more entries than an array holds.</exception>
    public static CsrMatrix<T> Kronecker<T>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        CsrChecks.Size((long)left.RowCount * right.RowCount, nameof(right));
        CsrChecks.Size((long)left.ColumnCount * right.ColumnCount, nameof(right));
        Check.KernelWithoutVariants(options, nameof(Kronecker));
        return SparseMergeCpu.Kronecker(left, right, options);
    }

    /// <summary>Row i times factors[i]. The pattern is shared.</summary>
    /// <param name="matrix">[m, n].</param>
    /// <param name="factors">m of them.</param>
    public static CsrMatrix<T> ScaleRows<T>(CsrMatrix<T> matrix, ReadOnlySpan<T> factors) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        Check.Exactly(factors.Length, matrix.RowCount, nameof(factors));
        T[] values = matrix.Values.ToArray();
        for (int row = 0; row < matrix.RowCount; row++)
        {
            foreach (ref T value in values.AsSpan((int)(matrix.RowPointers[row] - matrix.RowPointers[0]), matrix.RowColumns(row).Length))
                value *= factors[row];
        }
        return matrix.WithValues<T>(values);
    }

    /// <summary>Column j times factors[j]. The pattern is shared.</summary>
    /// <param name="matrix">[m, n].</param>
    /// <param name="factors">n of them.</param>
    public static CsrMatrix<T> ScaleColumns<T>(CsrMatrix<T> matrix, ReadOnlySpan<T> factors) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        Check.Exactly(factors.Length, matrix.ColumnCount, nameof(factors));
        T[] values = matrix.Values.ToArray();
        for (int i = 0; i < values.Length; i++)
            values[i] *= factors[matrix.Columns[i]];
        return matrix.WithValues<T>(values);
    }

    /// <summary>Without the entries whose magnitude is at most the tolerance. NaN stays.</summary>
    /// <param name="matrix">[m, n].</param>
    /// <param name="tolerance">0 drops zeros only; not negative.</param>
    public static CsrMatrix<T> Prune<T>(CsrMatrix<T> matrix, T tolerance) where T : unmanaged, INumber<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (!(tolerance >= T.Zero))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "a number that is not negative is needed");
        return matrix.Select((_, _, value) => !(T.Abs(value) <= tolerance));
    }

    /// <summary>The sum of each row by the semiring's addition, its zero for rows without entries.</summary>
    /// <param name="matrix">[m, n].</param>
    /// <param name="sums">m elements.</param>
    public static void ReduceRows<T, TSemiring>(CsrMatrix<T> matrix, Span<T> sums) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        Check.AtLeast(sums.Length, matrix.RowCount, nameof(sums));
        for (int row = 0; row < matrix.RowCount; row++)
        {
            T sum = TSemiring.Zero;
            foreach (T value in matrix.RowValues(row))
                sum = TSemiring.Add(sum, value);
            sums[row] = sum;
        }
    }

    /// <summary>The sum of each column by the semiring's addition, its zero for columns without entries.</summary>
    /// <param name="matrix">[m, n].</param>
    /// <param name="sums">n elements.</param>
    public static void ReduceColumns<T, TSemiring>(CsrMatrix<T> matrix, Span<T> sums) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        sums = Check.Written(sums, matrix.ColumnCount, nameof(sums));
        sums.Fill(TSemiring.Zero);
        ReadOnlySpan<int> columns = matrix.Columns;
        for (int i = 0; i < columns.Length; i++)
            sums[columns[i]] = TSemiring.Add(sums[columns[i]], matrix.Values[i]);
    }

    /// <summary>
    /// Triangles of an undirected graph: with L the entries below the diagonal, the sum of L L where L has entries (Azad, Buluc and Gilbert 2015). Values and
    /// loops do not count.
    /// </summary>
    /// <param name="adjacency">[n, n], with a symmetric pattern. Of one triangle of it, or of a directed graph, make one: <c>Sparse.Add(a,
    /// a.Transpose())</c>.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="ArgumentException">The matrix is not square, or its pattern is not symmetric.</exception>
    public static long CountTriangles<T>(CsrMatrix<T> adjacency, KernelOptions options = default) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(adjacency);
        CsrChecks.Product(adjacency.ColumnCount, adjacency.RowCount, nameof(adjacency));
        CsrMatrix<long> ones = Pattern(adjacency.Select((row, column, _) => column < row));
        CheckSamePattern(ones, Pattern(adjacency.Select((row, column, _) => column > row).Transpose()), nameof(adjacency));
        long triangles = 0;
        foreach (long count in SpGemm.Multiply<long, PlusPair<long>>(ones, ones,
            new() { Mask = SpGemmMask.Of(ones), Unsorted = true, Kernel = options }).Values)
            triangles += count;
        return triangles;
    }

    /// <summary>R A P, the coarse operator of a multigrid method (Galerkin).</summary>
    /// <param name="restriction">R, [c, n].</param>
    /// <param name="matrix">A, [n, n].</param>
    /// <param name="prolongation">P, [n, c].</param>
    /// <param name="options">Of both products: workspace, limits, and how to run; a mask or an addend cannot be given.</param>
    public static CsrMatrix<T> Galerkin<T>(CsrMatrix<T> restriction, CsrMatrix<T> matrix, CsrMatrix<T> prolongation, SpGemmOptions<T> options = default)
        where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(restriction);
        ArgumentNullException.ThrowIfNull(matrix);
        CsrChecks.Product(restriction.ColumnCount, matrix.RowCount, nameof(matrix));
        if (options.Mask is not null)
            throw new ArgumentException("two products have no mask in common", nameof(options.Mask));
        if (options.Addend is not null)
            throw new ArgumentException("two products have no addend in common", nameof(options.Addend));
        return SpGemm.Multiply(restriction, SpGemm.Multiply(matrix, prolongation, options), options);
    }

    private static void CheckSameShape<T>(CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        CsrChecks.SameShape(left.RowCount, left.ColumnCount, right.RowCount, right.ColumnCount, nameof(right));
    }

    private static CsrMatrix<long> Pattern<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T> =>
        matrix.WithValues<long>(new long[matrix.EntryCount]).SumDuplicates<PlusPair<long>>();

    private static void CheckSamePattern(CsrMatrix<long> lower, CsrMatrix<long> upper, string name)
    {
        for (int row = 0; row < lower.RowCount; row++)
        {
            ReadOnlySpan<int> own = lower.RowColumns(row), mirrored = upper.RowColumns(row);
            if (own.SequenceEqual(mirrored))
                continue;
            int same = own.CommonPrefixLength(mirrored);
            bool isLower = same < own.Length && (same == mirrored.Length || own[same] < mirrored[same]);
            (int first, int second) = isLower ? (row, own[same]) : (mirrored[same], row);
            throw new ArgumentException($"the pattern is not symmetric: ({first}, {second}) has an entry and ({second}, {first}) has none; add the " +
                $"transpose to count the undirected graph's triangles", name);
        }
    }
}
