using Kernels.Cpu.Primitives;
using Kernels.Managed;

namespace Kernels;

/// <summary>Adds a step's probabilities to the tokens' scores.</summary>
/// <param name="probabilities">[heads, tokens].</param>
/// <param name="tokenCount">The number of tokens.</param>
/// <param name="scores">One for each token, to be updated.</param>
public delegate void TokenAggregation(ReadOnlySpan<float> probabilities, int tokenCount, Span<float> scores);

/// <summary>
/// Heavy hitters (H2O, arXiv 2306.14048): tokens' probabilities are added up over steps and heads; beyond a budget the cache keeps the tokens with the largest
/// sums and the most recent ones.
/// </summary>
/// <remarks>
/// One for each layer and sequence; not for concurrent use. A cache evicts a token for all its heads, so the heads' probabilities are aggregated; published
/// code keeps another set for each head.
/// Scores belong to tokens by number: take tokens away by <see cref="Evict"/> and <see cref="Truncate"/>, or <see cref="Reset"/>. A fork goes on with its
/// source's scores.
/// </remarks>
public sealed class HeavyHitters : ITokenSelector
{
    private readonly TokenAggregation _aggregate;
    private float[] _scores = [];
    private int _count;

    // Of the sequence that was observed; 0 before.
    private long _revision;

    /// <summary>An empty state.</summary>
    /// <param name="heavyTokens">Tokens kept for their sums.</param>
    /// <param name="recentTokens">Last tokens kept in any case.</param>
    /// <param name="aggregate">How probabilities become scores; null for their sums. Others make other policies, such as the largest one seen by any
    /// head.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public HeavyHitters(int heavyTokens, int recentTokens, TokenAggregation? aggregate = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(heavyTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(recentTokens);
        HeavyTokens = heavyTokens;
        RecentTokens = recentTokens;
        _aggregate = aggregate ?? AddSums;
    }

    /// <summary>Tokens kept for their sums.</summary>
    public int HeavyTokens { get; }

    /// <summary>Last tokens kept in any case.</summary>
    public int RecentTokens { get; }

    /// <summary>The score of each token that was observed and not evicted.</summary>
    public ReadOnlySpan<float> Scores => _scores.AsSpan(0, _count);

    /// <inheritdoc/>
    public bool ObservesProbabilities => true;

    /// <summary>All tokens: those that were evicted are no longer there.</summary>
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Tokens that have scores were taken from the sequence by others.</exception>
    public ReadOnlySpan<int> Select(ReadOnlySpan<float> queries, KvCache cache, int sequence, KernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Follow(cache, sequence);
        return default;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The sizes do not match, there are fewer tokens than before, or some were selected: every token is to have its
    /// share.</exception>
    public void Observe(ReadOnlySpan<int> positions, ReadOnlySpan<float> probabilities, int tokenCount)
    {
        if (!positions.IsEmpty)
            throw new ArgumentException($"{positions.Length} tokens were selected, and scores are of all tokens", nameof(positions));
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenCount, _count);
        if (tokenCount > 0 ? probabilities.Length % tokenCount != 0 : !probabilities.IsEmpty)
            throw new ArgumentException($"{probabilities.Length} probabilities are no whole number of rows of {tokenCount}", nameof(probabilities));
        FiniteScores.Check(probabilities, nameof(probabilities));
        if (tokenCount > _scores.Length)
            Array.Resize(ref _scores, Math.Max(tokenCount, 2 * _scores.Length));
        _scores.AsSpan(_count, tokenCount - _count).Clear();
        _count = tokenCount;
        _aggregate(probabilities, tokenCount, _scores.AsSpan(0, tokenCount));
    }

    /// <summary>
    /// Evicts what exceeds the budget: keeps the heavy tokens among the older ones (ties by lower index) and the recent ones, in order. Returns the number
    /// evicted.
    /// </summary>
    /// <param name="cache">The cache.</param>
    /// <param name="sequence">The sequence that was observed.</param>
    /// <exception cref="ArgumentException">The sequence has not as many tokens as were observed, or others took tokens from it; nothing was
    /// evicted.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="KvCache.Keep"/>; nothing was evicted.</exception>
    /// <exception cref="NotFiniteNumberException">A caller's aggregation made a score NaN; nothing was evicted.</exception>
    public int Evict(KvCache cache, int sequence)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Follow(cache, sequence);
        int tokens = cache.TokenCount(sequence), older = Math.Max(0, tokens - RecentTokens);
        if (tokens != _count)
            throw new ArgumentException($"the sequence has {tokens} tokens, and {_count} were observed", nameof(sequence));
        if (older <= HeavyTokens)
            return 0;
        FiniteScores.Check(_scores.AsSpan(0, older), nameof(Scores));
        var kept = new int[HeavyTokens + tokens - older];
        int heavy = TopKSelection.Select(_scores.AsSpan(0, older), kept.AsSpan(0, HeavyTokens));
        for (int token = older; token < tokens; token++)
            kept[heavy++] = token;
        cache.Keep(sequence, kept);
        for (int i = 0; i < kept.Length; i++)
            _scores[i] = _scores[kept[i]];
        _count = kept.Length;
        _revision = cache.RevisionOf(sequence);
        return tokens - kept.Length;
    }

    /// <summary>Takes back a sequence's last tokens, and their scores; what their queries added to the scores of the others stays.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="sequence">The sequence that was observed.</param>
    /// <param name="count">How many tokens stay.</param>
    /// <exception cref="ArgumentException">There are not that many tokens, or others took tokens from the sequence; nothing was taken back.</exception>
    public void Truncate(KvCache cache, int sequence, int count)
    {
        ArgumentNullException.ThrowIfNull(cache);
        Follow(cache, sequence);
        cache.Truncate(sequence, count);
        _count = Math.Min(_count, count);
        _revision = cache.RevisionOf(sequence);
    }

    /// <inheritdoc/>
    public void Reset() => (_count, _revision) = (0, 0);

    private void Follow(KvCache cache, int sequence)
    {
        long revision = cache.RevisionOf(sequence);
        if (_count > 0 && ((_revision != 0 && revision != _revision) || cache.TokenCount(sequence) < _count))
        {
            throw new ArgumentException(
                $"{_count} tokens have scores, and some are no longer where they were in sequence {sequence}: take tokens away by Evict and Truncate, or Reset",
                nameof(sequence));
        }
        _revision = revision;
    }

    private static void AddSums(ReadOnlySpan<float> probabilities, int tokenCount, Span<float> scores)
    {
        for (int i = 0; i < probabilities.Length; i++)
            scores[i % tokenCount] += probabilities[i];
    }
}
