using System.Numerics;
using Kernels.Core.SpGemm;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// Products of sparse matrices in compressed rows, over any semiring: the row-wise product (Gustavson 1978), merged in cache-resident scratchpads as it is made
/// (after SMASH, arXiv 2105.14156).
/// </summary>
/// <remarks>
/// <para>C[i, j] = sum over k of left[i, k] right[k, j], with left [m, k], right [k, n] and C [m, n]. Operands may be unsorted and hold duplicates and explicit
/// zeros. The result has no duplicates, and an entry wherever a product was formed, even if the sum is 0 (unless
/// <see cref="SpGemmOptions{T}.DropZeros"/>).</para>
/// <para>Types: <see cref="float"/>, <see cref="double"/>, <see cref="int"/>, <see cref="long"/>, <see cref="Complex"/>, and <see cref="bool"/> with
/// <see cref="OrAnd"/>; any other one gets a <see cref="NotSupportedException"/>.</para>
/// <para>Each sum is formed in the order of left's entries in row i, every operation rounded on its own: the same bits for every variant, number of threads and
/// machine, and the error of a sum of L products is at most L u sum |a b| / (1 - L u), with u = 2^-53 or 2^-24. NaN and infinities go through the arithmetic;
/// only entries that are stored take part. Integers wrap.</para>
/// <para>Complexity O(rows + entries + products), plus the sorting of rows. Scratch for each thread is O(columns) at most; pass a <see cref="SpGemmWorkspace"/>
/// to keep it. The result's arrays are allocated, or taken from results given back to the workspace; the peak beside operands and result is the scratch, and,
/// in the rare case that the estimate of the result's size was too low, a second result.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value. A product with more entries than allowed throws an
/// <see cref="InsufficientMemoryException"/>, one with more than an array holds an <see cref="OverflowException"/>, before they are computed where their number
/// is known.</para>
/// </remarks>
public static class SpGemm
{
    /// <summary>left times right.</summary>
    /// <param name="left">[m, k].</param>
    /// <param name="right">[k, n].</param>
    /// <param name="options">Order, mask, accumulation, limits, and how to run.</param>
    public static CsrMatrix<T> Multiply<T>(CsrMatrix<T> left, CsrMatrix<T> right, SpGemmOptions<T> options = default) where T : unmanaged, INumberBase<T> =>
        Multiply<T, PlusTimes<T>>(left, right, options);

    /// <summary>left times right over a semiring.</summary>
    /// <param name="left">[m, k].</param>
    /// <param name="right">[k, n].</param>
    /// <param name="options">Order, mask, accumulation, limits, and how to run.</param>
    public static CsrMatrix<T> Multiply<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, SpGemmOptions<T> options = default)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        var problem = new SpGemmProblem<T>(left, right, options);
        ISpGemmBackend backend = SpGemmVariants<T>.Table.Select(options.Kernel);
        using var lease = new WorkspaceLease(options.Workspace);
        return backend.Multiply<T, TSemiring>(problem, lease.Workspace);
    }

    /// <summary>A Aᵀ, with the transpose formed once.</summary>
    /// <param name="matrix">A, [m, n]; the result is [m, m].</param>
    /// <param name="options">Order, mask, accumulation, limits, and how to run.</param>
    public static CsrMatrix<T> MultiplyByTranspose<T>(CsrMatrix<T> matrix, SpGemmOptions<T> options = default) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Multiply(matrix, matrix.Transpose(), options);
    }

    /// <summary>Aᵀ A, with the transpose formed once.</summary>
    /// <param name="matrix">A, [m, n]; the result is [n, n].</param>
    /// <param name="options">Order, mask, accumulation, limits, and how to run.</param>
    public static CsrMatrix<T> MultiplyTransposeBy<T>(CsrMatrix<T> matrix, SpGemmOptions<T> options = default) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Multiply(matrix.Transpose(), matrix, options);
    }

    /// <summary>The pattern of a product, to compute products of other values with the same patterns without looking for it again.</summary>
    /// <param name="left">[m, k].</param>
    /// <param name="right">[k, n].</param>
    /// <param name="options">Order, mask, limits, and how to run, also for the products. Zeros cannot be dropped, nor can anything be accumulated.</param>
    public static SpGemmPlan<T> Plan<T>(CsrMatrix<T> left, CsrMatrix<T> right, SpGemmOptions<T> options = default) where T : unmanaged, IEquatable<T>
    {
        var problem = new SpGemmProblem<T>(left, right, options);
        if (options.DropZeros)
            throw new ArgumentException("a plan does not know values: it cannot drop zeros", nameof(options.DropZeros));
        if (options.Addend is not null)
            throw new ArgumentException("a plan does not accumulate", nameof(options.Addend));
        ISpGemmBackend backend = SpGemmVariants<T>.Table.Select(options.Kernel);
        using var lease = new WorkspaceLease(options.Workspace);
        SpGemmCount count = backend.Count(problem, lease.Workspace);
        return new SpGemmPlan<T>(problem, backend, backend.MultiplyPatterns(problem, lease.Workspace), count.Products);
    }

    /// <summary>Multiplications, and bounds of the number of entries, in 64 bits: in O(entries of left), before anything is multiplied or allocated.</summary>
    /// <param name="left">[m, k].</param>
    /// <param name="right">[k, n].</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="OverflowException">There are 2^63 products or more.</exception>
    public static SpGemmCount Count<T>(CsrMatrix<T> left, CsrMatrix<T> right, KernelOptions options = default) where T : unmanaged, IEquatable<T>
    {
        var problem = new SpGemmProblem<T>(left, right, new() { Kernel = options });
        using var lease = new WorkspaceLease(null);
        return SpGemmVariants<T>.Table.Select(options).Count(problem, lease.Workspace);
    }

    /// <summary>
    /// The product in blocks of rows, one after another, of which none takes more than so many bytes: for products that do not fit memory. A row larger than
    /// that is refused as in <see cref="Multiply{T}"/>.
    /// </summary>
    /// <param name="left">[m, k].</param>
    /// <param name="right">[k, n].</param>
    /// <param name="maxBlockBytes">The most bytes of a block's columns and values; more than 0.</param>
    /// <param name="options">Order and how to run; a mask and an addend cannot be given.</param>
    /// <returns>The first row of each block, and its rows.</returns>
    public static IEnumerable<(int FirstRow, CsrMatrix<T> Rows)> MultiplyInBlocks<T>(CsrMatrix<T> left, CsrMatrix<T> right, long maxBlockBytes,
        SpGemmOptions<T> options = default)
        where T : unmanaged, INumberBase<T>
    {
        _ = new SpGemmProblem<T>(left, right, options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBlockBytes);
        if (options.Mask is not null)
            throw new ArgumentException("blocks have no mask", nameof(options.Mask));
        if (options.Addend is not null)
            throw new ArgumentException("blocks do not accumulate", nameof(options.Addend));
        return SpGemmBlocks.Multiply(left, right, options with { MaxResultBytes = maxBlockBytes });
    }
}
