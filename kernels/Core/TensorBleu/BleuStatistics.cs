using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>
/// All that BLEU needs to know of a sentence or of any number of them: matches and n-grams of each order, and lengths. Statistics of parts, of batches or
/// of workers add up to those of the whole; the sum does not depend on the order.
/// </summary>
/// <remarks>The default value is the statistics of no sentence, and adds to any other.</remarks>
public readonly partial struct BleuStatistics : IEquatable<BleuStatistics>, IAdditionOperators<BleuStatistics, BleuStatistics, BleuStatistics>
{
    private readonly OrderCounts _matches, _totals, _sentencesWithout;

    internal BleuStatistics(int orderCount, long sentenceCount, long candidateLength, long referenceLength, in OrderCounts matches, in OrderCounts totals,
        in OrderCounts sentencesWithout)
    {
        (OrderCount, SentenceCount, CandidateLength, ReferenceLength) = (orderCount, sentenceCount, candidateLength, referenceLength);
        (_matches, _totals, _sentencesWithout) = (matches, totals, sentencesWithout);
        // Counting in registers may leave something in orders that nobody asked for; equal statistics are equal in all places.
        for (int i = orderCount; i < BleuOptions.LargestOrder; i++)
            (_matches[i], _totals[i], _sentencesWithout[i]) = (0, 0, 0);
    }

    /// <summary>Statistics counted elsewhere, of a corpus.</summary>
    /// <param name="matches">Clipped matches, order 1 first; 1 to 8 orders, none above its total.</param>
    /// <param name="totals">The candidates' n-grams, as many orders.</param>
    /// <param name="candidateLength">Tokens of all candidates.</param>
    /// <param name="referenceLength">The sum of the closest reference lengths.</param>
    /// <exception cref="ArgumentException">The spans differ in length, have no or too many orders, or hold a negative number or more matches than
    /// n-grams.</exception>
    public static BleuStatistics FromCounts(ReadOnlySpan<long> matches, ReadOnlySpan<long> totals, long candidateLength, long referenceLength)
    {
        if (matches.Length is 0 or > BleuOptions.LargestOrder)
            throw new ArgumentException($"{matches.Length} orders are not within 1 to {BleuOptions.LargestOrder}", nameof(matches));
        if (totals.Length != matches.Length)
            throw new ArgumentException($"{totals.Length} totals for {matches.Length} orders of matches", nameof(totals));
        ArgumentOutOfRangeException.ThrowIfNegative(candidateLength);
        ArgumentOutOfRangeException.ThrowIfNegative(referenceLength);
        OrderCounts kept = default, all = default, without = default;
        for (int i = 0; i < matches.Length; i++)
        {
            if (matches[i] < 0 || matches[i] > totals[i])
                throw new ArgumentException($"{matches[i]} matches of {totals[i]} n-grams of order {i + 1}", nameof(matches));
            (kept[i], all[i], without[i]) = (matches[i], totals[i], totals[i] == 0 ? 1 : 0);
        }
        return new BleuStatistics(matches.Length, 1, candidateLength, referenceLength, kept, all, without);
    }

    /// <summary>The number of orders that were counted: 1 to 8, or 0 for no sentence at all.</summary>
    public int OrderCount { get; }

    /// <summary>The number of candidates.</summary>
    public long SentenceCount { get; }

    /// <summary>Tokens of all candidates.</summary>
    public long CandidateLength { get; }

    /// <summary>The sum, over the candidates, of the length of the reference closest in length; ties go to the shorter.</summary>
    public long ReferenceLength { get; }

    /// <summary>The number of the candidates' n-grams found in their references, each at most as often as the reference that has most of it.</summary>
    /// <param name="order">1 to <see cref="OrderCount"/>.</param>
    public long Matches(int order) => _matches[Index(order)];

    /// <summary>The number of the candidates' n-grams.</summary>
    /// <param name="order">1 to <see cref="OrderCount"/>.</param>
    public long Totals(int order) => _totals[Index(order)];

    /// <summary>The number of candidates too short to have an n-gram. NLTK counts one n-gram for each of them.</summary>
    /// <param name="order">1 to <see cref="OrderCount"/>.</param>
    public long SentencesWithout(int order) => _sentencesWithout[Index(order)];

    /// <summary>The statistics of both together.</summary>
    /// <param name="left">Any statistics.</param>
    /// <param name="right">Statistics of as many orders.</param>
    /// <exception cref="ArgumentException">The orders counted differ, or a sum exceeds 64 bits.</exception>
    public static BleuStatistics operator +(BleuStatistics left, BleuStatistics right)
    {
        if (left.OrderCount == 0)
            return right;
        if (right.OrderCount == 0)
            return left;
        if (left.OrderCount != right.OrderCount)
            throw new ArgumentException($"statistics of {left.OrderCount} and of {right.OrderCount} orders do not add up", nameof(right));
        OrderCounts matches = left._matches, totals = left._totals, without = left._sentencesWithout;
        for (int i = 0; i < left.OrderCount; i++)
        {
            matches[i] = Sum(matches[i], right._matches[i]);
            totals[i] = Sum(totals[i], right._totals[i]);
            without[i] = Sum(without[i], right._sentencesWithout[i]);
        }
        return new BleuStatistics(left.OrderCount, Sum(left.SentenceCount, right.SentenceCount), Sum(left.CandidateLength, right.CandidateLength),
            Sum(left.ReferenceLength, right.ReferenceLength), matches, totals, without);
    }

    // Of counts, which are not negative.
    private static long Sum(long left, long right) =>
        left <= long.MaxValue - right ? left + right : throw new ArgumentException($"{left} and {right} add up to more than 64 bits hold", nameof(right));

    /// <summary>The BLEU score of all sentences together, for the first weight set. Not the mean of their scores.</summary>
    /// <param name="options">Orders up to <see cref="OrderCount"/> (methods 5 and 7 of NLTK need order 5), weights, smoothing and scale.</param>
    /// <returns>0 to 1, or 0 to 100 if so asked; methods 5 and 7 can exceed that. 0 for no sentence.</returns>
    /// <exception cref="ArgumentException">An option is out of range, or more orders are asked for than were counted.</exception>
    public double Score(BleuOptions options = default)
    {
        Span<double> scores = stackalloc double[1];
        BleuChecks.Options(options);
        Scores(scores, options, setCount: 1);
        return scores[0];
    }

    /// <summary>The BLEU scores of all sentences together, one for each weight set.</summary>
    /// <param name="scores">[sets].</param>
    /// <param name="options">As for <see cref="Score"/>.</param>
    /// <exception cref="ArgumentException">As for <see cref="Score"/>, or <paramref name="scores"/> is shorter than the number of sets.</exception>
    public void Scores(Span<double> scores, BleuOptions options)
    {
        BleuChecks.Options(options);
        Check.AtLeast(scores.Length, options.WeightSetCount, nameof(scores));
        Scores(scores, options, options.WeightSetCount);
    }

    private unsafe void Scores(Span<double> scores, in BleuOptions options, int setCount)
    {
        if (options.TensorBleuCompatible)
            throw new ArgumentException("statistics do not hold what the compatible mode needs to know of a corpus; TensorBleu.CorpusScore does",
                nameof(BleuOptions.TensorBleuCompatible));
        if (OrderCount != 0 && OrderCount < options.CountedOrder)
            throw new ArgumentException($"{OrderCount} orders were counted, {options.CountedOrder} are needed", nameof(options));
        fixed (double* weights = options.Weights, results = scores)
        {
            new BleuFormula(options, weights, setCount).Score(this, results);
        }
    }

    /// <inheritdoc/>
    public bool Equals(BleuStatistics other) =>
        (OrderCount, SentenceCount, CandidateLength, ReferenceLength) == (other.OrderCount, other.SentenceCount, other.CandidateLength, other.ReferenceLength)
        && ((ReadOnlySpan<long>)_matches).SequenceEqual(other._matches) && ((ReadOnlySpan<long>)_totals).SequenceEqual(other._totals)
        && ((ReadOnlySpan<long>)_sentencesWithout).SequenceEqual(other._sentencesWithout);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BleuStatistics other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(OrderCount, SentenceCount, CandidateLength, ReferenceLength, _matches[0], _matches[1], _totals[0]);

    /// <summary>Whether all counts are equal.</summary>
    public static bool operator ==(BleuStatistics left, BleuStatistics right) => left.Equals(right);

    /// <summary>Whether any count differs.</summary>
    public static bool operator !=(BleuStatistics left, BleuStatistics right) => !left.Equals(right);

    private int Index(int order) =>
        order >= 1 && order <= OrderCount ? order - 1 : throw new ArgumentOutOfRangeException(nameof(order), order, $"orders 1 to {OrderCount} were counted");
}
