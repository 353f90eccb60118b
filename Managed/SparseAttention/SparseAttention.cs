using Kernels.Core.Checks;
using Kernels.Core.SparseAttention;

namespace Kernels;

/// <summary>
/// Attention on CPUs: dense, causal, windowed, block-sparse and token-sparse, over arrays or over a paged <see cref="KvCache"/>; forward and backward. Output
/// row i of head h is the sum of v_j softmax_j(logit_ij) over the keys j that <see cref="AttentionOptions"/> let take part.
/// </summary>
/// <remarks>
/// <para>Layout, row-major: queries and outputs [M, query heads, d]; keys and values [N, key-value heads, d]. Queries, outputs and arithmetic are float; keys
/// and values are <see cref="float"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>, in a cache also bytes with scales.</para>
/// <para>Special values: a query without keys gives zeros and a log-sum-exp of minus infinity. A pair that takes no part has no influence, NaN and infinities
/// at its key, value, query and output gradient included; an additive mask below -2^21 leaves its pair out, finite or not. A logit that is NaN, plus infinity
/// or above 2^21 makes its row NaN; one below -2^21 counts as minus infinity. Terms below 2^-126 of a row's reference count as 0.</para>
/// <para>Exponentials are pairs of a number and a power of two; a row's parts are merged by powers of two alone (see docs/numerics.md).</para>
/// <para>No score matrix is ever stored: 16 KiB a thread hold the scores of a tile. Scratch from <see cref="System.Buffers.ArrayPool{T}.Shared"/>: packed keys
/// and values, 2 N d floats for as many heads as fit 64 MiB but at least one (4 N d in the backward pass); for each thread the rows of a tile, up to 0.3 MiB
/// (0.7 MiB in the backward pass); for one or few queries partial results of 2048 keys each. Nothing else is allocated, and a thread's stack of 128 KiB is
/// enough.</para>
/// <para>Complexity O(pairs d), where tiles of 64 x 64 pairs without any that takes part cost nothing.</para>
/// <para>Determinism: bit-identical for every number of threads. A sequence's results depend neither on the others of its batch nor on pairs that take no part.
/// One query, or up to 16 rows of (query, head of a group), are computed in another order than more of them, and may differ from these in the last bits.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written.</para>
/// <para>Sources: online softmax, arXiv 1805.02867; FlashAttention, arXiv 2205.14135 and 2307.08691; the exponential, arXiv 2001.04438.</para>
/// </remarks>
public static partial class SparseAttention
{
    /// <summary>Attention over arrays.</summary>
    /// <param name="queries">[M, query heads, d].</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="values">[N, key-value heads, d].</param>
    /// <param name="output">[M, query heads, d]; at least that many elements. May overlap no input.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="options">What takes part, further outputs, and how to run.</param>
    /// <typeparam name="T">The type of keys and values: <see cref="float"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    public static void Attend<T>(ReadOnlySpan<float> queries, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, Span<float> output, AttentionShape shape,
        AttentionOptions options = default) where T : unmanaged =>
        Run(new AttentionProblem<T>(queries, keys, values, output, shape, options));

    /// <summary>Attention of new queries over sequences of a cache, which hold the queries' own keys already if these are to be seen.</summary>
    /// <param name="queries">[M, query heads, d], sequence after sequence; the last queries of a sequence stand at its last tokens.</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="sequences">The sequences, each with its share of the queries: equal ones, unless <see cref="AttentionOptions.QueryOffsets"/> says
    /// otherwise.</param>
    /// <param name="output">[M, query heads, d].</param>
    /// <param name="queryHeads">The number of query heads, a multiple of the cache's heads.</param>
    /// <param name="options">What takes part, further outputs, and how to run. Of the masks and column sums N is the number of the sequence's tokens;
    /// <see cref="AttentionOptions.KeyOffsets"/> must be empty.</param>
    public static void Attend(ReadOnlySpan<float> queries, KvCache cache, ReadOnlySpan<int> sequences, Span<float> output, int queryHeads,
        AttentionOptions options = default) =>
        Run(queries, cache, sequences, default, output, queryHeads, options);

    /// <summary>Attention over selected tokens of a sequence of a cache.</summary>
    /// <param name="queries">[M, query heads, d].</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="positions">The tokens to attend to, strictly ascending; empty for all.</param>
    /// <param name="output">[M, query heads, d].</param>
    /// <param name="queryHeads">The number of query heads, a multiple of the cache's heads.</param>
    /// <param name="options">As for a whole sequence; column sums are [query heads, selected tokens].</param>
    public static void Attend(ReadOnlySpan<float> queries, KvCache cache, int sequence, ReadOnlySpan<int> positions, Span<float> output, int queryHeads,
        AttentionOptions options = default) =>
        Run(queries, cache, [sequence], positions, output, queryHeads, options);

    /// <summary>One step of decoding: one query of a sequence over the tokens that a selector takes.</summary>
    /// <param name="queries">[query heads, d].</param>
    /// <param name="cache">Keys and values, those of the query's own token included.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="output">[query heads, d].</param>
    /// <param name="selector">Chooses tokens and sees their probabilities; null for all tokens.</param>
    /// <param name="options">What takes part, further outputs, and how to run; column sums are the selector's.</param>
    /// <exception cref="NotFiniteNumberException">The selector met scores that are not finite. A selector that scores before it selects throws before anything
    /// is written; one that observes throws after the output,
    /// which then shows the same, and has learned nothing of the step.</exception>
    public static void Decode(ReadOnlySpan<float> queries, KvCache cache, int sequence, Span<float> output, ITokenSelector? selector = null,
        AttentionOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(cache);
        int heads = Check.Rows(queries.Length, cache.Options.HeadDimension, nameof(queries));
        new AttentionShape(heads, cache.Options.KeyValueHeads, cache.Options.HeadDimension).Check(nameof(queries));
        if (selector is null)
        {
            Run(queries, cache, [sequence], default, output, heads, options);
            return;
        }
        if (!options.ColumnSums.IsEmpty)
            throw new ArgumentException("the selector takes the column sums", nameof(options.ColumnSums));
        ReadOnlySpan<int> positions = selector.Select(queries, cache, sequence, options.Kernel);
        if (selector.ObservesProbabilities)
            DecodeObserved(queries, cache, sequence, positions, output, heads, selector, options);
        else
            Run(queries, cache, [sequence], positions, output, heads, options);
    }

    /// <summary>
    /// The gradient of attention over arrays. Computed from the forward call's output and log-sum-exp; probabilities are made again tile by tile.
    /// </summary>
    /// <param name="outputGradient">[M, query heads, d]. What is not finite reaches the gradients of its own query and of the keys and values that this one
    /// sees, no others.</param>
    /// <param name="queries">The forward call's.</param>
    /// <param name="keys">The forward call's.</param>
    /// <param name="values">The forward call's.</param>
    /// <param name="output">The forward call's result.</param>
    /// <param name="logSumExp">The forward call's <see cref="AttentionOptions.LogSumExp"/>, [M, query heads].</param>
    /// <param name="queryGradient">[M, query heads, d].</param>
    /// <param name="keyGradient">[N, key-value heads, d]; sums over the query heads of a group, and over the sequences of a shared prefix.</param>
    /// <param name="valueGradient">[N, key-value heads, d].</param>
    /// <param name="shape">The heads.</param>
    /// <param name="options">The forward call's, without <see cref="AttentionOptions.LogSumExp"/> and <see cref="AttentionOptions.ColumnSums"/>, which that
    /// call writes.</param>
    /// <typeparam name="T">The type of keys and values.</typeparam>
    public static void Backward<T>(
        ReadOnlySpan<float> outputGradient, ReadOnlySpan<float> queries, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> output,
        ReadOnlySpan<float> logSumExp,
        Span<float> queryGradient, Span<float> keyGradient, Span<float> valueGradient, AttentionShape shape, AttentionOptions options = default)
            where T : unmanaged =>
        Run(new AttentionGradientProblem<T>(new AttentionProblem<T>(queries, keys, values, output, shape, options), outputGradient, logSumExp, queryGradient,
            keyGradient, valueGradient));

    private static void DecodeObserved(
        ReadOnlySpan<float> queries, KvCache cache, int sequence, ReadOnlySpan<int> positions, Span<float> output, int heads, ITokenSelector selector,
        in AttentionOptions options)
    {
        int tokens = positions.IsEmpty ? cache.TokenCount(sequence) : positions.Length;
        long count = (long)heads * tokens;
        if (count > Array.MaxLength)
            throw new ArgumentException($"the probabilities of {heads} heads and {tokens} tokens are more than an array holds", nameof(sequence));
        float[] rented = System.Buffers.ArrayPool<float>.Shared.Rent(Math.Max(1, (int)count));
        Span<float> sums = rented.AsSpan(0, (int)count);
        try
        {
            Run(queries, cache, [sequence], positions, output, heads, options with { ColumnSums = sums });
            selector.Observe(positions, sums, tokens);
        }
        finally
        {
            System.Buffers.ArrayPool<float>.Shared.Return(rented);
        }
    }
}
