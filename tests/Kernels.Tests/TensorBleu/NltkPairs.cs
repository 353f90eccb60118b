namespace Kernels.Tests;

/// <summary>One pair of data/nltk_pairs.bin: a sentence, the largest order, and NLTK's scores by methods 0 to 7.</summary>
internal sealed record NltkPair(int Order, BleuSentence Sentence, double[] Scores);

/// <summary>The stored scores of NLTK; data/make_nltk_pairs.py wrote them and describes the layout.</summary>
internal static class NltkPairs
{
    public const int Methods = 8, CorpusMethods = 5;

    public static IReadOnlyList<NltkPair> Pairs => s_content.Value.Pairs;

    /// <summary>The pairs of one corpus follow each other.</summary>
    public static int PairsPerCorpus => s_content.Value.PairsPerCorpus;

    /// <summary>[corpora][methods 0 to 4].</summary>
    public static double[][] CorpusScores => s_content.Value.CorpusScores;

    private static readonly Lazy<(NltkPair[] Pairs, int PairsPerCorpus, double[][] CorpusScores)> s_content = new(Read);

    private static (NltkPair[], int, double[][]) Read()
    {
        var reader = StoredScores.Open("nltk_pairs.bin");
        Assert.Equal("NLTKBLEU"u8.ToArray(), reader.Bytes(8));
        int count = reader.Number(), perCorpus = reader.Number();
        NltkPair[] pairs = [.. Enumerable.Range(0, count).Select(_ => Pair(reader))];
        double[][] corpora = [.. Enumerable.Range(0, count / perCorpus).Select(_ => reader.Doubles(CorpusMethods))];
        return (pairs, perCorpus, corpora);
    }

    private static NltkPair Pair(StoredScores reader)
    {
        byte[] head = reader.Bytes(2);
        long[] candidate = reader.Tokens();
        long[][] references = [.. Enumerable.Range(0, head[1]).Select(_ => reader.Tokens())];
        return new NltkPair(head[0], new BleuSentence(candidate, references), reader.Doubles(Methods));
    }
}
