using CommunityToolkit.HighPerformance;
using Kernels.Core.Softmax;

namespace Kernels;

/// <summary>
/// Softmax, log-softmax and log-sum-exp over the rows of row-major arrays, their gradients, and the k largest probabilities of each row.
/// </summary>
/// <remarks>
/// <para>Element types: <see cref="float"/> and <see cref="double"/> in full; <see cref="Half"/> and <see cref="BrainFloat16"/> as storage with float
/// arithmetic and one rounding at the end. Any other type gets a <see cref="NotSupportedException"/>.</para>
/// <para>No probability is above 1 and no log-probability above 0; where a single logit takes part, they are exactly 1 and 0.</para>
/// <para>Accuracy (float): every probability is within 3e-7 relative of the exact softmax of the logits as given, at any row length up to ten million and
/// beyond; results below the smallest normal number are kept as denormals. The exponential is never formed: exp(x) = m 2^n is carried as the pair (m, n), the
/// representation of "The Two-Pass Softmax Algorithm" (Dukhan and Ablavatski, arXiv 2001.04438), so no logit overflows.</para>
/// <para>Special values of a row: any NaN or plus infinity makes the row NaN; minus infinity gets probability 0 and log-probability minus infinity; a row of
/// only minus infinities is NaN, or zeros with <see cref="SoftmaxOptions{T}.Safe"/>. The log-sum-exp of such a row, and of an empty one, is minus infinity;
/// with plus infinity and no NaN in the row it is plus infinity.</para>
/// <para>Outputs are the caller's; nothing is allocated. An output may be exactly its input (in place) but may not overlap it otherwise. Complexity:
/// O(elements), one read of each logit more than a copy. Results are bit-identical for every number of threads, and a row does not depend on the other
/// rows.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written.</para>
/// </remarks>
public static partial class Softmax
{
    /// <summary>Probabilities p = exp(z) / sum exp(z) along contiguous rows, where z are the logits after scale, cap and masks.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="probabilities">[rows, rowLength], row-major; may be <paramref name="logits"/> itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, cap, masks, lengths, and how to run.</param>
    public static void Compute<T>(ReadOnlySpan<T> logits, Span<T> probabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Rows(logits.Length, rowLength, nameof(rowLength), nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.Probabilities, shape, logits, probabilities, options, nameof(probabilities)));
    }

    /// <summary>Probabilities along one axis of an array of any number of dimensions.</summary>
    /// <param name="logits">The array, row-major, without gaps.</param>
    /// <param name="probabilities">The same shape; may be <paramref name="logits"/> itself.</param>
    /// <param name="dimensions">The sizes of the array's dimensions, slowest first.</param>
    /// <param name="axis">The dimension that sums to one: 0 to rank - 1, or -rank to -1 counted from the last.</param>
    /// <param name="options">As for rows; masks are shaped like the array or like one slice of the outer dimensions; lengths and causal need the last
    /// axis.</param>
    public static void Compute<T>(ReadOnlySpan<T> logits, Span<T> probabilities, ReadOnlySpan<int> dimensions, int axis, SoftmaxOptions<T> options = default)
        where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Axis(logits.Length, dimensions, axis, nameof(dimensions), nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.Probabilities, shape, logits, probabilities, options, nameof(probabilities)));
    }

    /// <summary>Probabilities along the rows of a matrix whose rows may be apart (a row stride).</summary>
    /// <param name="logits">[rows, columns].</param>
    /// <param name="probabilities">[rows, columns]; may be the same memory with the same row stride.</param>
    /// <param name="options">As for rows; masks have no gaps.</param>
    public static void Compute<T>(ReadOnlySpan2D<T> logits, Span2D<T> probabilities, SoftmaxOptions<T> options = default) where T : unmanaged =>
        RunStrided(SoftmaxOperation.Probabilities, logits, probabilities, options, nameof(probabilities));

    /// <summary>Log-probabilities z - log sum exp(z) along contiguous rows.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="logProbabilities">[rows, rowLength], row-major; may be <paramref name="logits"/> itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, cap, masks, lengths, and how to run.</param>
    /// <remarks>Absolute error at most 3e-7 (float) beyond the rounding of the result itself; 6 * 2^-53 (1 + |result|) (double).</remarks>
    public static void LogSoftmax<T>(ReadOnlySpan<T> logits, Span<T> logProbabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Rows(logits.Length, rowLength, nameof(rowLength), nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.LogProbabilities, shape, logits, logProbabilities, options, nameof(logProbabilities)));
    }

    /// <summary>Log-probabilities along one axis of an array of any number of dimensions.</summary>
    /// <param name="logits">The array, row-major, without gaps.</param>
    /// <param name="logProbabilities">The same shape; may be <paramref name="logits"/> itself.</param>
    /// <param name="dimensions">The sizes of the array's dimensions, slowest first.</param>
    /// <param name="axis">The dimension to normalise along: 0 to rank - 1, or -rank to -1 counted from the last.</param>
    /// <param name="options">As for rows; masks are shaped like the array or like one slice of the outer dimensions; lengths and causal need the last
    /// axis.</param>
    public static void LogSoftmax<T>(ReadOnlySpan<T> logits, Span<T> logProbabilities, ReadOnlySpan<int> dimensions, int axis,
        SoftmaxOptions<T> options = default) where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Axis(logits.Length, dimensions, axis, nameof(dimensions), nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.LogProbabilities, shape, logits, logProbabilities, options, nameof(logProbabilities)));
    }

    /// <summary>Log-probabilities along the rows of a matrix whose rows may be apart (a row stride).</summary>
    /// <param name="logits">[rows, columns].</param>
    /// <param name="logProbabilities">[rows, columns]; may be the same memory with the same row stride.</param>
    /// <param name="options">As for rows; masks have no gaps.</param>
    public static void LogSoftmax<T>(ReadOnlySpan2D<T> logits, Span2D<T> logProbabilities, SoftmaxOptions<T> options = default) where T : unmanaged =>
        RunStrided(SoftmaxOperation.LogProbabilities, logits, logProbabilities, options, nameof(logProbabilities));

    /// <summary>log sum exp(z) of each contiguous row: one element a row.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="logSumExp">[rows]; may not overlap the logits.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. If 0, every element of <paramref name="logSumExp"/> becomes minus
    /// infinity.</param>
    /// <param name="options">Scale, cap, masks, lengths, and how to run.</param>
    public static void LogSumExp<T>(ReadOnlySpan<T> logits, Span<T> logSumExp, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Rows(logits.Length, rowLength, nameof(rowLength), nameof(logits));
        if (rowLength == 0)
            shape = SoftmaxShape.Rows(logSumExp.Length, 0);
        Run(new SoftmaxProblem<T>(SoftmaxOperation.LogSumExp, shape, logits, logSumExp, options, nameof(logSumExp)));
    }

    /// <summary>log sum exp(z) along one axis of an array of any number of dimensions; the result has the array's shape without that axis.</summary>
    /// <param name="logits">The array, row-major, without gaps.</param>
    /// <param name="logSumExp">The array's shape without <paramref name="axis"/>, row-major; may not overlap the logits.</param>
    /// <param name="dimensions">The sizes of the array's dimensions, slowest first.</param>
    /// <param name="axis">The dimension to reduce: 0 to rank - 1, or -rank to -1 counted from the last.</param>
    /// <param name="options">As for rows; masks are shaped like the array or like one slice of the outer dimensions; lengths and causal need the last
    /// axis.</param>
    public static void LogSumExp<T>(ReadOnlySpan<T> logits, Span<T> logSumExp, ReadOnlySpan<int> dimensions, int axis, SoftmaxOptions<T> options = default)
        where T : unmanaged
    {
        SoftmaxShape shape = SoftmaxChecks.Axis(logits.Length, dimensions, axis, nameof(dimensions), nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.LogSumExp, shape, logits, logSumExp, options, nameof(logSumExp)));
    }

    /// <summary>log sum exp(z) of each row of a matrix whose rows may be apart (a row stride).</summary>
    /// <param name="logits">[rows, columns].</param>
    /// <param name="logSumExp">[rows]; may not overlap the logits.</param>
    /// <param name="options">As for rows; masks have no gaps.</param>
    public static void LogSumExp<T>(ReadOnlySpan2D<T> logits, Span<T> logSumExp, SoftmaxOptions<T> options = default) where T : unmanaged =>
        RunStrided(logits, logSumExp, options);

    /// <summary>The <paramref name="count"/> largest probabilities of each row, in descending order, ties by lower index, and where they stand.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="values">[rows, count]: probabilities of the full softmax of the row, not renormalised.</param>
    /// <param name="indices">[rows, count]: positions in the row.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits.</param>
    /// <param name="count">How many, 0 to <paramref name="rowLength"/>.</param>
    /// <param name="options">Scale, cap, masks, lengths, and how to run.</param>
    /// <remarks>Positions beyond a row's length follow all others, with probability 0. In a row with NaN every value is NaN and the indices are 0, 1, 2 ...
    /// Reads the logits twice and writes nothing of the row. Complexity O(rowLength log count) at worst, O(rowLength) for logits in random order.</remarks>
    public static void TopK<T>(ReadOnlySpan<T> logits, Span<T> values, Span<int> indices, int rowLength, int count, SoftmaxOptions<T> options = default)
        where T : unmanaged =>
        Run(new SoftmaxTopKProblem<T>(logits, values, indices, rowLength, count, options));

    /// <summary>
    /// Gradient of <see cref="Compute{T}(ReadOnlySpan{T}, Span{T}, int, SoftmaxOptions{T})"/>: Scale (g - sum(g p)) p, times the cap's slope; 0 where p is 0.
    /// </summary>
    /// <remarks>
    /// A position with p = 0 took no part: what stands there in <paramref name="outputGradient"/> or in the logits, NaN included, has no influence.
    /// </remarks>
    /// <param name="outputGradient">g, the gradient by the probabilities, [rows, rowLength].</param>
    /// <param name="probabilities">p, as the forward call gave them.</param>
    /// <param name="logitGradient">The gradient by the logits; may be either input itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of elements.</param>
    /// <param name="options">The forward call's scale and cap, and how to run.</param>
    public static void Backward<T>(
        ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> probabilities, Span<T> logitGradient, int rowLength, SoftmaxGradientOptions<T> options = default)
        where T : unmanaged =>
        Run(new SoftmaxGradientProblem<T>(isLog: false, outputGradient, probabilities, logitGradient, rowLength, options, nameof(probabilities)));

    /// <summary>
    /// Gradient of <see cref="LogSoftmax{T}(ReadOnlySpan{T}, Span{T}, int, SoftmaxOptions{T})"/>: Scale (g - exp(l) sum(g)), times the cap's slope; 0 where l
    /// is minus infinity.
    /// </summary>
    /// <remarks>
    /// A position with l of minus infinity took no part: what stands there in <paramref name="outputGradient"/> or in the logits, NaN included, has no
    /// influence.
    /// </remarks>
    /// <param name="outputGradient">g, the gradient by the log-probabilities, [rows, rowLength].</param>
    /// <param name="logProbabilities">l, as the forward call gave them.</param>
    /// <param name="logitGradient">The gradient by the logits; may be either input itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of elements.</param>
    /// <param name="options">The forward call's scale and cap, and how to run.</param>
    public static void LogBackward<T>(
        ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> logProbabilities, Span<T> logitGradient, int rowLength, SoftmaxGradientOptions<T> options = default)
        where T : unmanaged =>
        Run(new SoftmaxGradientProblem<T>(isLog: true, outputGradient, logProbabilities, logitGradient, rowLength, options, nameof(logProbabilities)));
}
