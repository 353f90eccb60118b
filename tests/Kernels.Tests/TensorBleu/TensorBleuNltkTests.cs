namespace Kernels.Tests;

/// <summary>Scores against those that NLTK 3.8 itself gave.</summary>
public sealed class TensorBleuNltkTests
{
    // Relative to the score; where its logarithm is large (method 0), relative to that, for the exponential magnifies the logarithm's own rounding.
    private const double Tolerance = 1e-15;

    [Theory]
    [InlineData(BleuSmoothing.NltkMethod0)]
    [InlineData(BleuSmoothing.NltkMethod1)]
    [InlineData(BleuSmoothing.NltkMethod2)]
    [InlineData(BleuSmoothing.NltkMethod3)]
    [InlineData(BleuSmoothing.NltkMethod4)]
    [InlineData(BleuSmoothing.NltkMethod5)]
    [InlineData(BleuSmoothing.NltkMethod6)]
    [InlineData(BleuSmoothing.NltkMethod7)]
    public void SentencesScoreAsInNltk(BleuSmoothing smoothing)
    {
        int method = smoothing - BleuSmoothing.NltkMethod0, compared = 0;
        double worst = 0;
        foreach (NltkPair pair in NltkPairs.Pairs)
        {
            if (smoothing == BleuSmoothing.NltkMethod6 && pair.Order < 3)
                continue;
            double actual = TensorBleuCases.Score(pair.Sentence.Candidate, pair.Sentence.References, new() { Smoothing = smoothing, MaxOrder = pair.Order });
            worst = Math.Max(worst, Distance(pair.Scores[method], actual));
            compared++;
        }
        Assert.True(compared > 2000, $"{compared} pairs");
        Assert.True(worst <= Tolerance, $"{smoothing}: {worst:e2}");
    }

    [Fact]
    public void CorporaScoreAsInNltk()
    {
        for (int corpus = 0; corpus < NltkPairs.CorpusScores.Length; corpus++)
        {
            BleuSentence[] batch = [.. NltkPairs.Pairs.Skip(corpus * NltkPairs.PairsPerCorpus).Take(NltkPairs.PairsPerCorpus).Select(pair => pair.Sentence)];
            for (int method = 0; method < NltkPairs.CorpusMethods; method++)
            {
                double actual = TensorBleu.CorpusScore(TensorBleuCases.Candidates<int>(batch), TensorBleuCases.References<int>(batch),
                    new() { Smoothing = BleuSmoothing.NltkMethod0 + method });
                Assert.True(Distance(NltkPairs.CorpusScores[corpus][method], actual) <= Tolerance, $"corpus {corpus}, method {method}");
            }
        }
    }

    private static double Distance(double expected, double actual)
    {
        if (double.IsNaN(expected) || double.IsNaN(actual))
            return double.IsNaN(expected) && double.IsNaN(actual) ? 0 : double.PositiveInfinity;
        if (expected == actual)
            return 0;
        return Math.Abs(actual / expected - 1) / Math.Max(1, Math.Abs(Math.Log(expected)));
    }
}
