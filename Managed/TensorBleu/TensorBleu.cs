using System.Numerics;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>
/// BLEU of batches of token ids: for each sentence, as a reward or a metric, and for a whole corpus. Each call makes its scratch anew; use a
/// <see cref="BleuScorer"/> for calls that repeat.
/// </summary>
/// <remarks>See <see cref="BleuScorer"/> for complexity, determinism and source.</remarks>
public static class TensorBleu
{
    /// <summary>The score of each candidate.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates; a candidate without any scores 0.</param>
    /// <param name="scores">[candidates, sets]: one score for each set of weights.</param>
    /// <param name="options">Orders, weights, smoothing, scale, and how to run.</param>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range; no score was written.</exception>
    public static void Score<T>(TokenBatch<T> candidates, BleuReferences<T> references, Span<double> scores, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        using var scorer = new BleuScorer();
        scorer.Score(candidates, references, scores, options);
    }

    /// <summary>The statistics of all candidates together, to be added to those of other batches and scored.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates.</param>
    /// <param name="options">Orders and how to run.</param>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range.</exception>
    public static BleuStatistics Accumulate<T>(TokenBatch<T> candidates, BleuReferences<T> references, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T>
    {
        using var scorer = new BleuScorer();
        return scorer.Accumulate(candidates, references, options);
    }

    /// <summary>The corpus BLEU of all candidates together: <see cref="Accumulate"/>, then <see cref="BleuStatistics.Score"/>.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">References for as many candidates.</param>
    /// <param name="options">Orders, weights (the first set counts), smoothing, scale, and how to run.</param>
    /// <remarks>In the compatible mode, references of which a column is left out for some orders are copied.</remarks>
    /// <exception cref="ArgumentException">Sizes do not match or an option is out of range.</exception>
    public static double CorpusScore<T>(TokenBatch<T> candidates, BleuReferences<T> references, BleuOptions options = default)
        where T : unmanaged, IBinaryInteger<T> =>
        options.TensorBleuCompatible ? CompatibleCorpusScore(candidates, references, options) : Accumulate(candidates, references, options).Score(options);

    /// <summary>
    /// How far a corpus score would move with other sentences: scores of resamples of the sentences, drawn with replacement (Koehn, EMNLP 2004).
    /// </summary>
    /// <param name="sentences">Statistics of each sentence; at least one.</param>
    /// <param name="options">Orders, weights (the first set counts), smoothing and scale.</param>
    /// <param name="resamples">The number of resamples, at least 2.</param>
    /// <param name="seed">The same seed draws the same sentences, on any machine.</param>
    /// <param name="confidence">The share of resampled scores between the bounds; within 0 and 1.</param>
    /// <exception cref="ArgumentException">There are no sentences, or a number is out of range.</exception>
    public static BleuInterval Bootstrap(ReadOnlySpan<BleuStatistics> sentences, BleuOptions options = default, int resamples = 1000, ulong seed = 1,
        double confidence = 0.95) =>
        BleuBootstrap.Run(sentences, options, resamples, seed, confidence);

    private static unsafe double CompatibleCorpusScore<T>(TokenBatch<T> candidates, BleuReferences<T> references, in BleuOptions options)
        where T : unmanaged, IBinaryInteger<T>
    {
        using var scorer = new BleuScorer();
        BleuStatistics whole = scorer.Accumulate(candidates, references, options), counted = whole;
        Span<double> matches = stackalloc double[options.MaxOrder], totals = stackalloc double[options.MaxOrder];
        int orders = BleuCompatibleCorpus.CandidateOrders(candidates, options.MaxOrder), keptBefore = -1;
        for (int order = 1; order <= orders && whole.SentenceCount != 0; order++)
        {
            bool[] columns = BleuCompatibleCorpus.LongColumns(references, order);
            int kept = columns.AsSpan().Count(true);
            // Columns only ever become fewer: as many as before are the same.
            if (kept != keptBefore && kept != 0)
                counted = kept == columns.Length ? whole : AccumulateColumns(scorer, candidates, references, columns, kept, options);
            keptBefore = kept;
            matches[order - 1] = kept == 0 ? 0 : counted.Matches(order);
            totals[order - 1] = whole.Totals(order);
        }
        fixed (double* weights = options.Weights)
        {
            return BleuCompatibleCorpus.Score(matches, totals, whole.CandidateLength, whole.ReferenceLength, new BleuFormula(options, weights, setCount: 1));
        }
    }

    private static BleuStatistics AccumulateColumns<T>(BleuScorer scorer, TokenBatch<T> candidates, BleuReferences<T> references, bool[] columns, int kept,
        in BleuOptions options)
        where T : unmanaged, IBinaryInteger<T>
    {
        T[] tokens = BleuCompatibleCorpus.Copy(references, columns, out int[] offsets);
        TokenBatch<T> sequences = references.Sequences.IsPadded
            ? TokenBatch.Padded<T>(tokens, references.Sequences.RowLength, references.Sequences.PadToken)
            : TokenBatch.Ragged<T>(tokens, offsets);
        return scorer.Accumulate(candidates, BleuReferences.Uniform(sequences, kept), options);
    }
}
