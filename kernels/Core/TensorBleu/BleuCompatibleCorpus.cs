using System.Numerics;

namespace Kernels.Core.TensorBleu;

/// <summary>
/// The corpus score of the published TensorBLEU implementation, see <see cref="BleuOptions.TensorBleuCompatible"/>. It leaves whole orders out: one
/// of which any candidate is too short, and, of the references, every column (the first of each candidate, the second ...) of which any is too short.
/// </summary>
internal static class BleuCompatibleCorpus
{
    /// <summary>The largest order that no candidate is too short for.</summary>
    public static int CandidateOrders<T>(TokenBatch<T> candidates, int maxOrder) where T : unmanaged, IBinaryInteger<T>
    {
        int orders = maxOrder;
        for (int candidate = 0; candidate < candidates.Count; candidate++)
            orders = Math.Min(orders, Length(candidates, candidate));
        return orders;
    }

    /// <summary>The columns of references that are long enough for an order.</summary>
    /// <returns>True for those, as many as the candidate with most references has.</returns>
    public static bool[] LongColumns<T>(BleuReferences<T> references, int order) where T : unmanaged, IBinaryInteger<T>
    {
        int columnCount = 0;
        for (int group = 0; group < references.GroupCount; group++)
            columnCount = Math.Max(columnCount, references.Group(group).Count);
        var isLong = new bool[columnCount];
        for (int column = 0; column < columnCount; column++)
            isLong[column] = IsLong(references, column, order);
        return isLong;
    }

    /// <summary>A copy of some columns of references.</summary>
    /// <param name="references">The references.</param>
    /// <param name="columns">Which; every candidate has them.</param>
    /// <param name="offsets">Where each reference begins in the result, and where the last one ends.</param>
    public static T[] Copy<T>(BleuReferences<T> references, bool[] columns, out int[] offsets) where T : unmanaged, IBinaryInteger<T>
    {
        List<T> tokens = [];
        List<int> ends = [0];
        for (int group = 0; group < references.GroupCount; group++)
        {
            for (int column = 0; column < columns.Length; column++)
            {
                if (!columns[column])
                    continue;
                tokens.AddRange(references.Sequences[references.Group(group).First + column]);
                ends.Add(tokens.Count);
            }
        }
        offsets = [.. ends];
        return [.. tokens];
    }

    /// <summary>The score of counts in which left out orders are 0.</summary>
    public static double Score(ReadOnlySpan<double> matches, ReadOnlySpan<double> totals, long candidateLength, long referenceLength, in BleuFormula formula)
    {
        if (candidateLength == 0 || (formula.Smoothing == BleuSmoothing.None && totals.Contains(0)))
            return 0;
        Span<double> precisions = stackalloc double[BleuOptions.LargestOrder];
        precisions = precisions[..formula.MaxOrder];
        for (int i = 0; i < precisions.Length; i++)
        {
            double plain = totals[i] == 0 ? 0 : matches[i] / totals[i];
            precisions[i] = formula.Smoothing switch
            {
                BleuSmoothing.Floor => (matches[i] == 0 ? formula.Value : matches[i]) / Math.Max(1, totals[i]),
                BleuSmoothing.AddK => (matches[i] + formula.Value) / (totals[i] + formula.Value),
                BleuSmoothing.Exponential when plain == 0 => i == 0 ? BleuCompatibleFormula.Tiny : precisions[i - 1] / 2,
                BleuSmoothing.None => plain + BleuCompatibleFormula.Tiny,
                _ => plain,
            };
        }
        return formula.Scale * BleuFormula.BrevityPenalty(referenceLength, candidateLength)
            * BleuCompatibleFormula.Mean(precisions, formula.Weights(0), added: 0);
    }

    private static bool IsLong<T>(BleuReferences<T> references, int column, int order) where T : unmanaged, IBinaryInteger<T>
    {
        for (int group = 0; group < references.GroupCount; group++)
        {
            (int first, int count) = references.Group(group);
            if (column >= count || Length(references.Sequences, first + column) < order)
                return false;
        }
        return true;
    }

    private static int Length<T>(TokenBatch<T> batch, int sequence) where T : unmanaged, IBinaryInteger<T> =>
        batch[sequence].Length - (batch.IsPadded ? batch[sequence].Count(batch.PadToken) : 0);
}
