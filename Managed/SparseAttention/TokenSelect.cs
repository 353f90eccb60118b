using Kernels.Core.Checks;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.SparseAttention;
using Kernels.Managed;

namespace Kernels;

/// <summary>How <see cref="TokenSelect"/> selects; the defaults are the published ones.</summary>
public readonly record struct TokenSelectOptions
{
    internal const int DefaultSinkTokens = 128, DefaultRecentTokens = 512, DefaultTopK = 2048;
    internal const double DefaultReuseCosine = 0.9;

    /// <summary>Leading tokens that are always taken; null (the default) for 128.</summary>
    public int? SinkTokens { get; init; }

    /// <summary>Last tokens that are always taken; null (the default) for 512.</summary>
    public int? RecentTokens { get; init; }

    /// <summary>Tokens taken by votes from those between; all of them if there are no more. Null (the default) for 2048.</summary>
    public int? TopK { get; init; }

    /// <summary>A selection is used again while the cosine of the query it was made for and the query at hand is at least this; above 1 for never, null (the
    /// default) for 0.9.</summary>
    public double? ReuseCosine { get; init; }

    /// <summary>
    /// A selection is used again as long as no more than this many tokens were appended since it was made; null (the default), as published, for any number.
    /// Tokens that leave the local ones are no
    /// candidates of a selection that was made before.
    /// </summary>
    public int? ReuseTokens { get; init; }

    /// <summary>Votes are replaced by the largest within a window of this odd width first; null (the default) and 1 for none.</summary>
    public int? PoolWidth { get; init; }

    /// <summary>
    /// Score from the high four bits of the keys (<see cref="KvCacheOptions.SplitNibbleKeys"/>): a quarter of the traffic of 16-bit keys. Queries are rounded
    /// to eight bits.
    /// </summary>
    public bool HighNibbles { get; init; }
}

/// <summary>
/// TokenSelect (arXiv 2411.02886): every key is scored by the mean query of each head, each head's scores (without the factor 1 / sqrt(d)) become
/// probabilities, which are summed over the heads: a soft vote. The initial, the local, and of the others the k tokens with the most votes (ties by lower
/// index) are attended to, the same for all heads.
/// </summary>
/// <remarks>
/// Query head h scores key-value head h / group. One for each layer and sequence; not for concurrent use. Complexity of a selection O(N heads d), of a reuse
/// O(heads d + k). The scratch, a float for each token and each query head of two groups, is rented. Where tokens were taken from the sequence, by
/// <see cref="KvCache.Keep"/> or <see cref="KvCache.Truncate"/>, or the sequence is another one than before and no fork of it, a selection is made anew.
/// </remarks>
public sealed class TokenSelect : ITokenSelector
{
    private readonly int _sinkTokens, _recentTokens, _topK, _reuseTokens, _reach;
    private readonly double _reuseCosine;
    private readonly bool _highBits;
    private float[] _mean = [], _selectedFor = [];
    private int[] _top = [], _positions = [];
    private int _topCount, _selectedFrom;
    private long _revision;
    private bool _hasSelection;

    /// <summary>An empty state.</summary>
    /// <param name="options">Sizes and thresholds; the published ones by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, the pool's width even, the cosine no number.</exception>
    public TokenSelect(TokenSelectOptions options = default)
    {
        _sinkTokens = Count(options.SinkTokens, TokenSelectOptions.DefaultSinkTokens, nameof(options.SinkTokens));
        _recentTokens = Count(options.RecentTokens, TokenSelectOptions.DefaultRecentTokens, nameof(options.RecentTokens));
        _topK = Count(options.TopK, TokenSelectOptions.DefaultTopK, nameof(options.TopK));
        _reuseTokens = Count(options.ReuseTokens, int.MaxValue, nameof(options.ReuseTokens));
        if (options.PoolWidth is { } width && (width < 1 || width % 2 == 0))
            throw new ArgumentOutOfRangeException(nameof(options.PoolWidth), width, "an odd width is needed");
        _reach = (options.PoolWidth ?? 1) / 2;
        _reuseCosine = options.ReuseCosine ?? TokenSelectOptions.DefaultReuseCosine;
        if (double.IsNaN(_reuseCosine))
            throw new ArgumentOutOfRangeException(nameof(options.ReuseCosine), _reuseCosine, "a number is needed");
        _highBits = options.HighNibbles;
    }

    /// <summary>How many selections were made by scoring, rather than used again.</summary>
    public int ScoredCount { get; private set; }

    /// <inheritdoc/>
    public bool ObservesProbabilities => false;

    /// <summary>Forgets the selection.</summary>
    public void Reset() => _hasSelection = false;

    /// <inheritdoc/>
    /// <exception cref="NotFiniteNumberException">Votes are not finite: there is no selection, and none is kept.</exception>
    public ReadOnlySpan<int> Select(ReadOnlySpan<float> queries, KvCache cache, int sequence, KernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        int tokens = cache.TokenCount(sequence), first = Math.Min(_sinkTokens, tokens), local = Math.Max(first, tokens - _recentTokens);
        if ((long)_sinkTokens + _topK + _recentTokens >= tokens)
            return default;
        SetMean(queries, cache);
        bool isOfTheseTokens = _hasSelection && cache.RevisionOf(sequence) == _revision && tokens - _selectedFrom <= _reuseTokens;
        if (!isOfTheseTokens || !(Cosine(_mean, _selectedFor) >= _reuseCosine))
            Score(cache, sequence, first, local, options);
        return Join(first, local, tokens);
    }

    /// <inheritdoc/>
    public void Observe(ReadOnlySpan<int> positions, ReadOnlySpan<float> probabilities, int tokenCount)
    {
    }

    private void Score(KvCache cache, int sequence, int first, int local, in KernelOptions options)
    {
        _hasSelection = false;
        KeyPrecision precision = _highBits ? KeyPrecision.HighNibbles : KeyPrecision.Stored;
        using var scores = new TokenScores(cache, sequence, _mean, 1, withVotes: true);
        scores.Run(precision, options);
        FiniteScores.Check(scores.Votes, "votes");
        Span<float> votes = scores.Votes.Slice(first, local - first);
        Array.Resize(ref _top, _topK);
        if (_reach > 0)
            VotePooling.Largest(votes, _reach);
        _topCount = TopKSelection.Select(votes, _top);
        foreach (ref int position in _top.AsSpan(0, _topCount))
            position += first;
        _selectedFor = [.. _mean];
        (_revision, _selectedFrom, _hasSelection) = (cache.RevisionOf(sequence), scores.TokenCount, true);
        ScoredCount++;
    }

    // The first, the selected and the last tokens; a selection of an earlier step may reach into the last ones by nothing, for these only move on.
    private Span<int> Join(int first, int local, int tokens)
    {
        if (_positions.Length < first + _topCount + tokens - local)
            _positions = new int[first + _topCount + tokens - local];
        int count = 0;
        for (int position = 0; position < first; position++)
            _positions[count++] = position;
        foreach (int position in _top.AsSpan(0, _topCount))
        {
            if (position >= first && position < local)
                _positions[count++] = position;
        }
        for (int position = local; position < tokens; position++)
            _positions[count++] = position;
        return _positions.AsSpan(0, count);
    }

    private void SetMean(ReadOnlySpan<float> queries, KvCache cache)
    {
        // The number of query heads is not said: a selection is for as many as the first one was, else for one query.
        int length = _mean.Length > 0 && queries.Length % _mean.Length == 0 && queries.Length > 0 ? _mean.Length : queries.Length;
        Check.Rows(length, (long)cache.Options.HeadDimension * cache.Options.KeyValueHeads, nameof(queries));
        if (_mean.Length != length)
        {
            _mean = new float[length];
            _hasSelection = false;
        }
        int count = queries.Length / Math.Max(1, length);
        for (int i = 0; i < length; i++)
        {
            double sum = 0;
            for (int query = 0; query < count; query++)
                sum += queries[query * length + i];
            _mean[i] = (float)(sum / count);
        }
    }

    private static int Count(int? count, int byDefault, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count ?? byDefault, name);
        return count ?? byDefault;
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double product = 0, lengthA = 0, lengthB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            lengthA += (double)a[i] * a[i];
            lengthB += (double)b[i] * b[i];
        }
        return product / Math.Sqrt(lengthA * lengthB);
    }
}
