using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>
/// BLEU of batches of token ids, with scratch that is kept from call to call: after calls of the largest sizes to come, nothing is allocated any more.
/// One call at a time; use one scorer for each thread that scores.
/// </summary>
/// <remarks>
/// Counting is exact: n-grams are compared in full, never by a hash alone. Complexity O(orders x (candidate + reference tokens)), in the default variant;
/// scratch per thread 84 to 92 bytes for each token of the largest group of references or of the longest candidate, whichever has more, and 3.2 KiB.
/// Results are bit-identical for every number of threads, every batch a sentence is in, and every variant.
/// Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002; TensorBLEU (batches of ids), arXiv 2510.05485.
/// </remarks>
public sealed partial class BleuScorer : IDisposable
{
    private readonly BleuWorkspace _workspace = new();

    /// <summary>The score of each candidate.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates; a candidate without any scores 0.</param>
    /// <param name="scores">[candidates, sets]: one score for each set of weights. 0 to 1, or 0 to 100 if so asked; NLTK's methods 5 and 7 can exceed that,
    /// method 6 can give NaN.</param>
    /// <param name="options">Orders, weights, smoothing, scale, and how to run.</param>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range; no score was written.</exception>
    public void Score<T>(TokenBatch<T> candidates, BleuReferences<T> references, Span<double> scores, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        BleuChecks.Options(options);
        BleuChecks.Groups(candidates.Count, references.GroupCount);
        CheckScores(candidates, scores, options);
        Count(candidates, references, [], scores, options);
    }

    /// <summary>The score of each candidate against references prepared before.</summary>
    /// <param name="candidates">As many as there are groups of references, or a multiple k of that: then each k candidates in turn belong to one group, as k
    /// samples of one prompt do.</param>
    /// <param name="references">The references; may be in use by other scorers at the same time.</param>
    /// <param name="scores">[candidates, sets].</param>
    /// <param name="options">As for references that are not prepared. The variant is the one that prepared them.</param>
    /// <exception cref="ArgumentException">Sizes do not match, an option is out of range, or more orders or another mode is asked for than was
    /// prepared.</exception>
    public void Score<T>(TokenBatch<T> candidates, PreparedReferences<T> references, Span<double> scores, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        CheckPrepared(candidates, references, options);
        CheckScores(candidates, scores, options);
        Count(candidates, references, [], scores, options);
    }

    /// <summary>The statistics of each candidate, to be added up, resampled or scored later.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates.</param>
    /// <param name="statistics">[candidates].</param>
    /// <param name="options">Orders, mode and how to run; weights and scale do not matter yet.</param>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range; nothing was written.</exception>
    public void Statistics<T>(TokenBatch<T> candidates, BleuReferences<T> references, Span<BleuStatistics> statistics, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        BleuChecks.Options(options);
        BleuChecks.Groups(candidates.Count, references.GroupCount);
        Check.AtLeast(statistics.Length, candidates.Count, nameof(statistics));
        Count(candidates, references, statistics[..candidates.Count], [], options);
    }

    /// <summary>The statistics of each candidate against references prepared before.</summary>
    /// <param name="candidates">As many as there are groups of references, or a multiple.</param>
    /// <param name="references">The references.</param>
    /// <param name="statistics">[candidates].</param>
    /// <param name="options">Orders, mode and how to run.</param>
    /// <exception cref="ArgumentException">As for scores.</exception>
    public void Statistics<T>(TokenBatch<T> candidates, PreparedReferences<T> references, Span<BleuStatistics> statistics, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        CheckPrepared(candidates, references, options);
        Check.AtLeast(statistics.Length, candidates.Count, nameof(statistics));
        Count(candidates, references, statistics[..candidates.Count], [], options);
    }

    /// <summary>The statistics of all candidates together: their <see cref="BleuStatistics.Score"/> is the corpus BLEU.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates.</param>
    /// <param name="options">Orders and how to run; weights and scale do not matter yet.</param>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range.</exception>
    public BleuStatistics Accumulate<T>(TokenBatch<T> candidates, BleuReferences<T> references, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        BleuChecks.Options(options);
        BleuChecks.Groups(candidates.Count, references.GroupCount);
        Span<BleuStatistics> statistics = Buffer(candidates.Count);
        Count(candidates, references, statistics, [], options);
        return Sum(statistics);
    }

    /// <summary>Bytes of native scratch held at present.</summary>
    public long ScratchBytes => _workspace.Bytes;

    /// <summary>Frees the scratch. Later calls throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _workspace.Dispose();

    private static BleuStatistics Sum(ReadOnlySpan<BleuStatistics> statistics)
    {
        BleuStatistics sum = default;
        foreach (ref readonly BleuStatistics sentence in statistics)
            sum += sentence;
        return sum;
    }

    private static void CheckPrepared<T>(TokenBatch<T> candidates, PreparedReferences<T> references, in BleuOptions options)
        where T : unmanaged, IBinaryInteger<T>
    {
        ArgumentNullException.ThrowIfNull(references);
        BleuChecks.Options(options);
        BleuChecks.PreparedGroups(candidates.Count, references.GroupCount);
        if (options.CountedOrder > references.OrderCount)
            throw new ArgumentException($"orders up to {references.OrderCount} were prepared, {options.CountedOrder} are needed", nameof(references));
        if (options.TensorBleuCompatible != references.Rows.Compatible)
            throw new ArgumentException("the references were prepared for the other mode", nameof(BleuOptions.TensorBleuCompatible));
    }
}
