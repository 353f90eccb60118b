namespace Kernels.Tests;

/// <summary>The compatible mode against the published algorithm's steps in torch (data/make_tensorbleu_scores.py).</summary>
public sealed class TensorBleuCompatibleTests
{
    private const double Tolerance = 1e-12;

    private static readonly BleuSmoothing[] s_methods = [BleuSmoothing.None, BleuSmoothing.Floor, BleuSmoothing.AddK, BleuSmoothing.Exponential];

    public static TheoryData<string> Variants => TensorBleuCases.Variants<int>();

    [Theory]
    [MemberData(nameof(Variants))]
    public void BatchesAndCorporaScoreAsPublished(string variant)
    {
        StoredScores stored = StoredScores.Open("tensorbleu_scores.bin");
        int batches = stored.Number();
        Assert.Equal(120, batches);
        for (int batch = 0; batch < batches; batch++)
        {
            byte[] sizes = stored.Bytes(3);
            (int sentences, int columns, int length) = (sizes[0], sizes[1], sizes[2]);
            int[] candidates = [.. stored.Bytes(sentences * length).Select(b => (int)b)],
                references = [.. stored.Bytes(sentences * columns * length).Select(b => (int)b)];
            double[][] sentenceScores = [.. s_methods.Select(_ => stored.Doubles(sentences))];
            double[] corpusScores = stored.Doubles(s_methods.Length);
            for (int i = 0; i < s_methods.Length; i++)
            {
                var options = new BleuOptions { Smoothing = s_methods[i], TensorBleuCompatible = true, Kernel = new() { Variant = variant } };
                TokenBatch<int> rows = TokenBatch.Padded<int>(candidates, length, padToken: 0);
                BleuReferences<int> groups = BleuReferences.Uniform(TokenBatch.Padded<int>(references, length, padToken: 0), columns);
                var scores = new double[sentences];
                TensorBleu.Score(rows, groups, scores, options);
                for (int sentence = 0; sentence < sentences; sentence++)
                    Assert.True(Math.Abs(scores[sentence] - sentenceScores[i][sentence]) <= Tolerance,
                        $"batch {batch}, sentence {sentence}, {s_methods[i]}: {scores[sentence]:r}");
                double corpus = TensorBleu.CorpusScore(rows, groups, options);
                Assert.True(Math.Abs(corpus - corpusScores[i]) <= Tolerance, $"batch {batch}, corpus, {s_methods[i]}: {corpus:r}, not {corpusScores[i]:r}");
            }
        }
    }

    [Fact]
    public void RaggedCorporaLeaveOutColumnsThatSomeCandidateLacks()
    {
        // The second reference of the first candidate has no counterpart: its column, and with it the only match of the 4-gram, is left out.
        int[] candidates = [1, 2, 3, 4, 5, 6, 7, 8], references = [1, 2, 3, 9, 1, 2, 3, 4, 5, 6, 7, 9];
        double score = TensorBleu.CorpusScore(TokenBatch.Ragged<int>(candidates, [0, 4, 8]),
            BleuReferences.Grouped(TokenBatch.Ragged<int>(references, [0, 4, 8, 12]), [0, 2, 3]),
            new() { Smoothing = BleuSmoothing.Floor, TensorBleuCompatible = true });
        Assert.Equal(Math.Pow(6 / 8.0 * 4 / 6 * 2 / 4 * 0.1 / 2, 0.25), score, 1e-12);
    }
}
