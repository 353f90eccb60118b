namespace Kernels.Tests;

/// <summary>Scores against those that sacreBLEU 2.6 itself gave (data/make_sacrebleu_scores.py).</summary>
public sealed class TensorBleuSacreTests
{
    // Of scores up to 1.
    private const double Tolerance = 1e-12;

    private static readonly BleuSmoothing[] s_methods = [BleuSmoothing.None, BleuSmoothing.Floor, BleuSmoothing.AddK, BleuSmoothing.Exponential];

    [Fact]
    public void SentencesScoreAsInSacreBleu()
    {
        StoredScores stored = StoredScores.Open("sacrebleu_scores.bin");
        int compared = 0;
        foreach (NltkPair pair in NltkPairs.Pairs)
        {
            foreach (bool effective in new[] { false, true })
            {
                double[] expected = stored.Doubles(s_methods.Length);
                for (int i = 0; i < expected.Length; i++)
                {
                    double actual = TensorBleuCases.Score(pair.Sentence.Candidate, pair.Sentence.References,
                        new() { MaxOrder = pair.Order, Smoothing = s_methods[i], EffectiveOrder = effective, Percent = true });
                    Assert.True(Math.Abs(actual - expected[i]) <= 100 * Tolerance,
                        $"pair {compared}, {s_methods[i]}, effective order {effective}: {actual:r}, not {expected[i]:r}");
                }
            }
            compared++;
        }
        Assert.Equal(3000, compared);
    }
}
