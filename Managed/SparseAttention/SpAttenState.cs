using Kernels.Core.Checks;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Primitives;
using Kernels.Managed;

namespace Kernels;

/// <summary>How <see cref="SpAttenState"/> decodes.</summary>
public readonly record struct SpAttenOptions
{
    /// <summary>
    /// Local value pruning: of each head only this many values, those with the largest probabilities (ties by lower index), are summed; the others' share is
    /// not made up for. Null (the default) for all.
    /// </summary>
    public int? KeptValues { get; init; }

    /// <summary>
    /// Progressive quantisation: probabilities are computed from the high four bits of the keys first; a head whose largest probability is below this is
    /// computed again from all eight. 0 (the default): from the keys as they are stored. Needs <see cref="KvCacheOptions.SplitNibbleKeys"/>; queries are
    /// rounded to eight bits.
    /// </summary>
    public float RequantizationThreshold { get; init; }
}

/// <summary>
/// SpAtten (arXiv 2012.09852): the importance of tokens and heads, added up over layers and steps, and the cascade by which those that were pruned stay so in
/// all later layers and steps.
/// </summary>
/// <remarks>
/// Importance of token j: sum of its probabilities over active heads and queries. Importance of head h: sum of the magnitudes of its outputs. Selections are
/// exact, ties go to the lower index. A model carries one state for each sequence from layer to layer; tokens are numbered as they were appended to the layers'
/// caches, which are not evicted from. Not for concurrent use.
/// </remarks>
public sealed class SpAttenState
{
    private readonly int _keptValues;
    private readonly float _threshold;
    private readonly bool[] _isHeadActive;
    private readonly double[] _headImportance;
    private float[] _tokenImportance = [], _nextImportance = [];
    private int[] _tokens = [];
    private int _tokenCount;

    /// <summary>All heads active, no tokens.</summary>
    /// <param name="queryHeads">The number of query heads.</param>
    /// <param name="options">Local pruning and quantisation; none by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is out of range, or the threshold is no number from 0 on.</exception>
    public SpAttenState(int queryHeads, SpAttenOptions options = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(queryHeads, 1);
        _keptValues = options.KeptValues ?? int.MaxValue;
        ArgumentOutOfRangeException.ThrowIfNegative(_keptValues, nameof(options.KeptValues));
        if (!(options.RequantizationThreshold >= 0))
            throw new ArgumentOutOfRangeException(nameof(options.RequantizationThreshold), options.RequantizationThreshold, "a number from 0 on is needed");
        _threshold = options.RequantizationThreshold;
        _isHeadActive = new bool[queryHeads];
        _headImportance = new double[queryHeads];
        Reset();
    }

    /// <summary>The tokens that were not pruned, ascending.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _tokenCount);

    /// <summary>The importance of each of <see cref="Tokens"/>.</summary>
    public ReadOnlySpan<float> TokenImportance => _tokenImportance.AsSpan(0, _tokenCount);

    /// <summary>For each query head whether it was not pruned.</summary>
    public ReadOnlySpan<bool> ActiveHeads => _isHeadActive;

    /// <summary>The importance of each query head.</summary>
    public ReadOnlySpan<double> HeadImportance => _headImportance;

    /// <summary>How many heads were computed again from all bits.</summary>
    public long RequantizedCount { get; private set; }

    /// <summary>New tokens, numbered on from the last one, become active.</summary>
    /// <param name="first">The number of the first of them, greater than any before.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The numbers are not new, or beyond 31 bits.</exception>
    public void AddTokens(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(first, _tokenCount == 0 ? 0 : _tokens[_tokenCount - 1] + 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(int.MaxValue - first, Array.MaxLength - _tokenCount));
        if (_tokenCount + count > _tokens.Length)
        {
            Array.Resize(ref _tokens, (int)Math.Max(_tokenCount + count, Math.Min(2L * _tokens.Length, Array.MaxLength)));
            Array.Resize(ref _tokenImportance, _tokens.Length);
            Array.Resize(ref _nextImportance, _tokens.Length);
        }
        for (int i = 0; i < count; i++)
            (_tokens[_tokenCount + i], _tokenImportance[_tokenCount + i]) = (first + i, 0);
        _tokenCount += count;
    }

    /// <summary>Adds what a layer showed to the importance of tokens and heads; pruned heads are passed over.</summary>
    /// <param name="columnSums">[query heads, active tokens]: probabilities summed over the queries (<see cref="AttentionOptions.ColumnSums"/>).</param>
    /// <param name="output">[M, query heads, d].</param>
    /// <param name="headDimension">d.</param>
    /// <exception cref="ArgumentException">Sizes do not match.</exception>
    /// <exception cref="NotFiniteNumberException">A number of an active head is not finite; nothing was added.</exception>
    public void Accumulate(ReadOnlySpan<float> columnSums, ReadOnlySpan<float> output, int headDimension)
    {
        Check.Exactly(columnSums.Length, (long)_isHeadActive.Length * _tokenCount, nameof(columnSums));
        ArgumentOutOfRangeException.ThrowIfLessThan(headDimension, 1);
        Check.Rows(output.Length, (long)_isHeadActive.Length * headDimension, nameof(output));
        for (int head = 0; head < _isHeadActive.Length; head++)
        {
            if (_isHeadActive[head])
                FiniteScores.Check(columnSums.Slice(head * _tokenCount, _tokenCount), $"{nameof(columnSums)} of head {head}");
        }
        CheckOutput(output, headDimension);
        for (int head = 0; head < _isHeadActive.Length; head++)
        {
            for (int i = 0; _isHeadActive[head] && i < _tokenCount; i++)
                _tokenImportance[i] += columnSums[head * _tokenCount + i];
        }
        AccumulateHeads(output, headDimension);
    }

    /// <summary>Keeps the most important tokens; the others take no part from now on.</summary>
    /// <param name="count">How many; more than there are means all.</param>
    /// <param name="recentTokens">The last of them that are kept in any case, as the authors' code for language models does: importance is a sum over steps, of
    /// which new tokens have seen few.</param>
    public void PruneTokens(int count, int recentTokens = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(recentTokens);
        if (count >= _tokenCount)
            return;
        int recent = Math.Min(recentTokens, count), older = _tokenCount - recent;
        var kept = new int[count];
        TopKSelection.Select(_tokenImportance.AsSpan(0, older), kept.AsSpan(0, count - recent));
        for (int i = 1; i <= recent; i++)
            kept[^i] = _tokenCount - i;
        for (int i = 0; i < count; i++)
            (_tokens[i], _tokenImportance[i]) = (_tokens[kept[i]], _tokenImportance[kept[i]]);
        _tokenCount = count;
    }

    /// <summary>Keeps the most important of the active heads; the others give zeros from now on.</summary>
    /// <param name="count">How many; more than are active means all.</param>
    public void PruneHeads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int[] ranked = [.. Enumerable.Range(0, _isHeadActive.Length).Where(head => _isHeadActive[head]).OrderByDescending(head => _headImportance[head])
            .ThenBy(head => head)];
        foreach (int head in ranked.Skip(count))
            _isHeadActive[head] = false;
    }

    /// <summary>
    /// One step of one layer: probabilities of the active tokens, importance, local value pruning, outputs (zeros for pruned heads).
    /// </summary>
    /// <param name="queries">[query heads, d].</param>
    /// <param name="cache">The layer's cache, whose tokens are numbered as this state's.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="output">[query heads, d].</param>
    /// <param name="scale">Factor of the products q k; null for 1 / sqrt(d).</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="ArgumentException">Sizes do not match, the scale is not finite as a float, a token is not in the cache, or it has no planes where they
    /// are needed.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// A probability of an active head is not finite, and nothing was written; or a value is, and the output shows it. In both cases importance is as before
    /// the step.
    /// </exception>
    public void Decode(ReadOnlySpan<float> queries, KvCache cache, int sequence, Span<float> output, double? scale = null, KernelOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(cache);
        int d = cache.Options.HeadDimension;
        Check.Exactly(queries.Length, (long)_isHeadActive.Length * d, nameof(queries));
        Check.AtLeast(output.Length, queries.Length, nameof(output));
        new AttentionShape(_isHeadActive.Length, cache.Options.KeyValueHeads, d).Check(nameof(cache));
        var factor = (float)(scale ?? 1 / Math.Sqrt(d));
        if (!float.IsFinite(factor))
            throw new ArgumentOutOfRangeException(nameof(scale), scale, "a number that is finite as a float is needed");
        TokenPositions.Check(Tokens, cache.TokenCount(sequence), nameof(sequence));
        output = output[..queries.Length];
        if (_tokenCount == 0)
        {
            output.Clear();
            return;
        }
        using var scores = new TokenScores(cache, sequence, queries, factor, withVotes: false, Tokens);
        scores.Run(_threshold > 0 ? KeyPrecision.HighNibbles : KeyPrecision.Stored, options);
        CheckProbabilities(scores);
        int requantized = _threshold > 0 ? Requantize(scores, cache, sequence, queries, factor, options) : 0;
        _tokenImportance.AsSpan(0, _tokenCount).CopyTo(_nextImportance);
        for (int head = 0; head < _isHeadActive.Length; head++)
            PruneValues(scores.Row(head), _isHeadActive[head]);
        output.Clear();
        scores.Weigh(output, options);
        CheckOutput(output, d);
        // Nothing can fail from here on: the step counts.
        (_tokenImportance, _nextImportance) = (_nextImportance, _tokenImportance);
        AccumulateHeads(output, d);
        RequantizedCount += requantized;
    }

    /// <summary>Takes back the tokens numbered from a count on; what they added to the importance of others and of heads stays, and so does what was
    /// pruned.</summary>
    /// <param name="count">How many of the caches' tokens stay.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        while (_tokenCount > 0 && _tokens[_tokenCount - 1] >= count)
            _tokenCount--;
    }

    /// <summary>All heads active, no tokens, no importance: as new, for another sequence.</summary>
    public void Reset()
    {
        Array.Fill(_isHeadActive, true);
        Array.Clear(_headImportance);
        _tokenCount = 0;
        RequantizedCount = 0;
    }

    private void CheckProbabilities(in TokenScores scores)
    {
        for (int head = 0; head < _isHeadActive.Length; head++)
        {
            if (_isHeadActive[head])
                FiniteScores.Check(scores.Row(head), $"probabilities of head {head}");
        }
    }

    private void CheckOutput(ReadOnlySpan<float> output, int headDimension)
    {
        for (int row = 0; row < output.Length / headDimension; row++)
        {
            int head = row % _isHeadActive.Length;
            if (_isHeadActive[head])
                FiniteScores.Check(output.Slice(row * headDimension, headDimension), $"output of head {head}");
        }
    }

    // Returns how many heads were computed again.
    private int Requantize(in TokenScores scores, KvCache cache, int sequence, ReadOnlySpan<float> queries, float factor, in KernelOptions options)
    {
        int first = 0;
        while (first < _isHeadActive.Length && !IsFlat(first, scores.Row(first)))
            first++;
        if (first == _isHeadActive.Length)
            return 0;
        using var again = new TokenScores(cache, sequence, queries, factor, withVotes: false, Tokens);
        again.Run(KeyPrecision.AllBits, options);
        int count = 0;
        for (int head = first; head < _isHeadActive.Length; head++)
        {
            if (!IsFlat(head, scores.Row(head)))
                continue;
            again.Row(head).CopyTo(scores.Row(head));
            count++;
        }
        CheckProbabilities(scores);
        return count;
    }

    private bool IsFlat(int head, ReadOnlySpan<float> probabilities)
    {
        float largest = 0;
        foreach (float probability in probabilities)
            largest = MathF.Max(largest, probability);
        return _isHeadActive[head] && largest < _threshold;
    }

    private void PruneValues(Span<float> probabilities, bool isActive)
    {
        if (!isActive)
        {
            probabilities.Clear();
            return;
        }
        for (int i = 0; i < probabilities.Length; i++)
            _nextImportance[i] += probabilities[i];
        TopKSelection.KeepLargest(probabilities, _keptValues);
    }

    private void AccumulateHeads(ReadOnlySpan<float> output, int headDimension)
    {
        for (int i = 0; i < output.Length; i++)
        {
            int head = i / headDimension % _isHeadActive.Length;
            _headImportance[head] += _isHeadActive[head] ? Math.Abs((double)output[i]) : 0;
        }
    }
}
