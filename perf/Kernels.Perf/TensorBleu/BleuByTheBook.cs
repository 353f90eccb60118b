namespace Kernels.Perf;

/// <summary>The oracle: BLEU-4 with epsilon smoothing (NLTK's method 1) from dictionaries of n-grams. Shares no code with the library.</summary>
internal static class BleuByTheBook
{
    private const int Orders = 4;
    private const double Epsilon = 0.1;

    public static double[] Scores(BleuCase bleuCase, int[] tokens) => [.. Enumerable.Range(0, bleuCase.Batch).Select(i =>
    {
        int[] candidate = Row(i);
        int[][] references = [.. Enumerable.Range(0, bleuCase.ReferenceCount).Select(r => Row(bleuCase.Batch + i * bleuCase.ReferenceCount + r))];
        double[] logs = [.. Enumerable.Range(1, Orders).Select(n => LogPrecision(candidate, references, n))];
        return double.IsNegativeInfinity(logs[0]) ? 0 : Math.Exp(logs.Average());

        int[] Row(int row) => tokens[(row * bleuCase.Length)..((row + 1) * bleuCase.Length)];
    })];

    // All sequences are equally long: there is no brevity penalty.
    private static double LogPrecision(int[] candidate, int[][] references, int n)
    {
        Dictionary<Ngram, int> counts = Counts(candidate, n);
        Dictionary<Ngram, int>[] others = [.. references.Select(reference => Counts(reference, n))];
        int matches = counts.Sum(gram => Math.Min(gram.Value, others.Max(other => other.GetValueOrDefault(gram.Key))));
        if (n == 1 && matches == 0)
            return double.NegativeInfinity;
        return Math.Log((matches == 0 ? Epsilon : matches) / (candidate.Length - n + 1));
    }

    private static Dictionary<Ngram, int> Counts(int[] tokens, int n)
    {
        var counts = new Dictionary<Ngram, int>();
        for (int i = 0; i + n <= tokens.Length; i++)
        {
            var gram = new Ngram(tokens[i], n > 1 ? tokens[i + 1] : 0, n > 2 ? tokens[i + 2] : 0, n > 3 ? tokens[i + 3] : 0);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }

    private readonly record struct Ngram(int First, int Second, int Third, int Fourth);
}
