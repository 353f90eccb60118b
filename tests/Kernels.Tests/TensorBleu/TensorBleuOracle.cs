namespace Kernels.Tests;

/// <summary>BLEU's counts by the book: dictionaries of n-grams written out as text. Shares no code with the library.</summary>
internal static class TensorBleuOracle
{
    /// <summary>Clipped matches of each order, order 1 first.</summary>
    public static long[] Matches(long[] candidate, IReadOnlyList<long[]> references, int orders) =>
        [.. Enumerable.Range(1, orders).Select(n => OfOrder(candidate, references, n))];

    public static long[] Totals(long[] candidate, int orders) =>
        [.. Enumerable.Range(1, orders).Select(n => (long)Math.Max(0, candidate.Length - n + 1))];

    /// <summary>The closest reference length, the shorter of two that are equally close.</summary>
    public static long ClosestLength(long[] candidate, IReadOnlyList<long[]> references) =>
        references.Count == 0 ? 0 : references.Select(r => (long)r.Length).OrderBy(length => Math.Abs(length - candidate.Length)).ThenBy(length => length)
        .First();

    private static long OfOrder(long[] candidate, IReadOnlyList<long[]> references, int n)
    {
        Dictionary<string, int> counts = Counts(candidate, n);
        Dictionary<string, int>[] others = [.. references.Select(r => Counts(r, n))];
        return counts.Sum(gram => (long)Math.Min(gram.Value, others.Select(other => other.GetValueOrDefault(gram.Key)).DefaultIfEmpty().Max()));
    }

    private static Dictionary<string, int> Counts(long[] tokens, int n)
    {
        var counts = new Dictionary<string, int>();
        for (int i = 0; i + n <= tokens.Length; i++)
        {
            string gram = string.Join(' ', tokens[i..(i + n)]);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}
