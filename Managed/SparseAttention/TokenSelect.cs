namespace Kernels;

/// <summary>How <see cref="TokenSelect"/> selects; the defaults are the published ones.</summary>
public readonly record struct TokenSelectOptions()
{
    /// <summary>Leading tokens that are always taken.</summary>
    public int InitialTokens { get; init; } = 128;

    /// <summary>Last tokens that are always taken.</summary>
    public int LocalTokens { get; init; } = 512;

    /// <summary>Tokens taken by votes from those between; all of them if there are no more.</summary>
    public int TopK { get; init; } = 2048;

    /// <summary>A selection is used again while the cosine of the query it was made for and the query at hand is at least this; above 1 for never.</summary>
    public double ReuseCosine { get; init; } = 0.9;

    /// <summary>Votes are replaced by the largest within a window of this odd width first; 1 for none.</summary>
    public int PoolWidth { get; init; } = 1;

    /// <summary>Score from the high four bits of the keys (<see cref="KvCacheOptions.KeyPlanes"/>): a quarter of the traffic of 16-bit keys. Queries are rounded to eight bits.</summary>
    public bool HighBits { get; init; }
}

/// <summary>
/// TokenSelect (arXiv 2411.02886): every key is scored by the mean query of each head, each head's scores (without the factor 1 / sqrt(d)) become probabilities, which are summed over the heads:
/// a soft vote. The initial, the local, and of the others the k tokens with the most votes (ties by lower index) are attended to, the same for all heads.
/// </summary>
/// <remarks>
/// Query head h scores key-value head h / group. One for each layer and sequence; not for concurrent use. Complexity of a selection O(N heads d), of a reuse O(heads d + k). The scratch, a float for each
/// token and each query head of two groups, is rented.
/// </remarks>
public sealed class TokenSelect : ITokenSelector
{
    private readonly TokenSelectOptions _options;
    private float[] _mean = [], _selectedFor = [];
    private int[] _top = [], _positions = [];
    private int _topCount;
    private bool _hasSelection;

    /// <summary>An empty state.</summary>
    /// <param name="options">Sizes and thresholds.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, the pool's width even.</exception>
    public TokenSelect(TokenSelectOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.InitialTokens, nameof(options.InitialTokens));
        ArgumentOutOfRangeException.ThrowIfNegative(options.LocalTokens, nameof(options.LocalTokens));
        ArgumentOutOfRangeException.ThrowIfNegative(options.TopK, nameof(options.TopK));
        if (options.PoolWidth < 1 || options.PoolWidth % 2 == 0)
            throw new ArgumentOutOfRangeException(nameof(options.PoolWidth), options.PoolWidth, "an odd width is needed");
        if (double.IsNaN(options.ReuseCosine))
            throw new ArgumentOutOfRangeException(nameof(options.ReuseCosine), options.ReuseCosine, "a number is needed");
        _options = options;
    }

    /// <summary>With the published sizes and thresholds.</summary>
    public TokenSelect()
        : this(new TokenSelectOptions())
    {
    }

    /// <summary>How many selections were made by scoring, rather than used again.</summary>
    public int ScoredCount { get; private set; }

    /// <inheritdoc/>
    public bool ObservesProbabilities => false;

    /// <summary>Forgets the selection, as when the sequence is another.</summary>
    public void Reset() => _hasSelection = false;

    /// <inheritdoc/>
    public ReadOnlySpan<int> Select(ReadOnlySpan<float> queries, KvCache cache, int sequence, in KernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        int tokens = cache.TokenCount(sequence), first = Math.Min(_options.InitialTokens, tokens), local = Math.Max(first, tokens - _options.LocalTokens);
        if ((long)_options.InitialTokens + _options.TopK + _options.LocalTokens >= tokens)
            return default;
        SetMean(queries, cache);
        if (!_hasSelection || !(Cosine(_mean, _selectedFor) >= _options.ReuseCosine))
            Score(cache, sequence, first, local, options);
        return Join(first, local, tokens);
    }

    /// <inheritdoc/>
    public void Observe(ReadOnlySpan<int> positions, ReadOnlySpan<float> probabilities, int tokenCount)
    {
    }

    private void Score(KvCache cache, int sequence, int first, int local, in KernelOptions options)
    {
        KeyPrecision precision = _options.HighBits ? KeyPrecision.HighBits : KeyPrecision.Stored;
        using var scores = new TokenScores(cache, sequence, _mean, 1, withVotes: true);
        scores.Run(precision, options);
        Span<float> votes = scores.Votes.Slice(first, local - first);
        Array.Resize(ref _top, _options.TopK);
        _topCount = _options.PoolWidth == 1 ? TopKSelection.Select(votes, _top) : TopKSelection.Select(Pool(votes), _top);
        foreach (ref int position in _top.AsSpan(0, _topCount))
            position += first;
        _selectedFor = [.. _mean];
        _hasSelection = true;
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
        AttentionChecks.Tokens(length, (long)cache.Options.HeadDimension * cache.Options.KeyValueHeads, nameof(queries));
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

    private float[] Pool(ReadOnlySpan<float> votes)
    {
        var pooled = new float[votes.Length];
        int reach = _options.PoolWidth / 2;
        for (int i = 0; i < votes.Length; i++)
        {
            float largest = votes[i];
            for (int j = Math.Max(0, i - reach); j <= Math.Min(votes.Length - 1, i + reach); j++)
                largest = MathF.Max(largest, votes[j]);
            pooled[i] = largest;
        }
        return pooled;
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
