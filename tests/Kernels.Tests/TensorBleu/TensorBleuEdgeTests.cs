namespace Kernels.Tests;

/// <summary>Edge cases, with the scores that NLTK 3.8, sacreBLEU and the published TensorBLEU implementation gave for them.</summary>
public sealed class TensorBleuEdgeTests
{
    // Relative; sacreBLEU's percentages were recorded to four places, the published implementation's scores to three digits.
    private const double Nltk = 1e-14, Published = 1e-2;

    private const int SacrePlaces = 4;

    private static readonly long[] s_eight = [1, 2, 3, 4, 5, 6, 7, 8];

    private static readonly BleuSmoothing[] s_sacre = [BleuSmoothing.None, BleuSmoothing.Floor, BleuSmoothing.AddK, BleuSmoothing.Exponential];

    /// <summary>
    /// Name, candidate, references, NLTK's methods 0 to 7, sacreBLEU's none, floor, add-k, exp in percent, plain and with effective order, TensorBLEU's the
    /// same four.
    /// </summary>
    public static TheoryData<string, long[], long[][], double[], double[], double[], double[]> Cases => new()
    {
        { "equal", s_eight, [s_eight], [1, 1, 1, 1, 1, 1.1167470964180197, 1, 1.1167470964180197], [100, 100, 100, 100], [100, 100, 100, 100], [1, 1, 1, 1] },
        {
            "one token replaced", [1, 2, 3, 9, 4, 5, 6], [[1, 2, 3, 8, 4, 5, 6, 7]],
            [7.320647992786978e-78, 0.23834081440475152, 0.43121039815529283, 0.35640264633541835, 0.28150046383044863, 0.3853727019826523, 0.40174136258035126,
                0.40521564490266915],
            [0, 23.8341, 43.1210, 35.6403], [0, 23.8341, 43.1210, 35.6403], [5.99e-4, 0.238341, 0.433439, 7.13e-4]
        },
        { "empty candidate", [], [[1, 2, 3]], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0] },
        { "both empty", [], [[]], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0] },
        { "empty reference", [1, 2, 3], [[]], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1e-12, 0.0639, 0.4518, 2e-12] },
        {
            "one token", [1], [[1, 2, 3]],
            [2.47e-232, 0.024066394763145416, 0.08047084086794415, 0.04784824825520547, 0.1353352832366127, 0.026045287402504197, double.NaN,
                0.026045287402504197],
            [0, 0, 13.5335, 0], [13.5335, 13.5335, 13.5335, 13.5335], [1.35e-10, 0.0241, 0.1353, 2.28e-10]
        },
        {
            "three tokens, equal", [1, 2, 3], [[1, 2, 3]],
            [1.2213386697554703e-77, 0.5623413251903491, 0.8408964152537145, 0.8408964152537145, 0.5757197301274735, 0.703215867220802, 1, 0.7466681393420525],
            [0, 0, 100, 0], [100, 100, 100, 100], [1e-3, 0.5623, 1, 1.19e-3]
        },
        { "disjoint", [1, 2, 3, 4, 5, 6, 7], [[11, 12, 13, 14, 15, 16, 17]], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0],
            [1e-12, double.NaN, double.NaN, 2e-12] },
        {
            "tie of lengths, longer first", [1, 2, 3, 4, 5], [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4]],
            [1, 1, 1, 1, 1, double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity], [100, 100, 100, 100], [100, 100, 100, 100],
                [0.8187, 0.8187, 0.8187, 0.8187]
        },
        {
            "tie of lengths, shorter first", [1, 2, 3, 4, 5], [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6]],
            [1, 1, 1, 1, 1, double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity], [100, 100, 100, 100], [100, 100, 100, 100], [1, 1, 1, 1]
        },
        {
            "an empty reference is closest", [1, 2, 3], [s_eight, []],
            [1.2213386697554703e-77, 0.5623413251903491, 0.8408964152537145, 0.8408964152537145, 0.5757197301274735, 0.703215867220802, 1, 0.7466681393420525],
            [0, 0, 100, 0], [100, 100, 100, 100], [1e-3, 0.5623, 1, 1.19e-3]
        },
        { "id 0 inside", [1, 2, 0, 3, 4, 5], [[1, 2, 0, 3, 4, 5]], [1, 1, 1, 1, 1, double.PositiveInfinity, 1, double.PositiveInfinity], [100, 100, 100, 100],
            [100, 100, 100, 100], [1e-3, 0.5623, 1, 1.19e-3] },
        {
            "one id repeated", [7, 7, 7, 7, 7, 7, 7], [[7, 1, 2, 3, 7, 4], [5, 2, 6, 1, 3, 7, 4]],
            [1.33e-231, 0.039281465090051315, 0.19205612637498934, 0.07809849842300641, 0.03848196746087264, double.PositiveInfinity, double.NaN,
                double.PositiveInfinity],
            [0, 3.9281, 19.2056, 7.8098], [0, 3.9281, 19.2056, 7.8098], [double.NaN, double.NaN, double.NaN, double.NaN]
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void ScoresAreThoseOfTheOriginals(string name, long[] candidate, long[][] references, double[] nltk, double[] sacre, double[] effective,
        double[] published)
    {
        for (int i = 0; i < nltk.Length; i++)
        {
            // Infinity marks what was not recorded; NaN, what NLTK refuses to compute.
            double tolerance = nltk[i] is > 0 and < 1e-200 ? 1e-2 : Nltk;
            if (nltk[i] != double.PositiveInfinity)
                AssertClose(nltk[i], TensorBleuCases.Score(candidate, references, new() { Smoothing = BleuSmoothing.NltkMethod0 + i }), tolerance,
                    $"{name}, NLTK {i}");
        }
        for (int i = 0; i < s_sacre.Length; i++)
        {
            BleuSmoothing smoothing = s_sacre[i];
            Assert.Equal(sacre[i], Math.Round(TensorBleuCases.Score(candidate, references, new() { Smoothing = smoothing, Percent = true }), SacrePlaces),
                1e-12);
            Assert.Equal(effective[i], Math.Round(
                TensorBleuCases.Score(candidate, references, new() { Smoothing = smoothing, Percent = true, EffectiveOrder = true }), SacrePlaces), 1e-12);
            if (!double.IsNaN(published[i]))
                AssertClose(published[i], Compatible(candidate, references, smoothing), Published, $"{name}, {smoothing}, compatible");
        }
    }

    [Fact]
    public void CandidatesWithoutReferencesScoreZero()
    {
        Assert.Equal(0, TensorBleuCases.Score([1, 2, 3, 4], [], new() { Smoothing = BleuSmoothing.NltkMethod1 }));
        Assert.Equal(0, TensorBleuCases.Score([1, 2, 3, 4], [], default));
    }

    [Theory]
    [InlineData(BleuSmoothing.Floor)]
    [InlineData(BleuSmoothing.Exponential)]
    [InlineData(BleuSmoothing.NltkMethod1)]
    public void EffectiveOrderScoresShortSentencesInFull(BleuSmoothing smoothing)
    {
        long[] tokens = s_eight[..3];
        Assert.Equal(1, TensorBleuCases.Score(tokens, [tokens], new() { Smoothing = smoothing, EffectiveOrder = true }), 1e-15);
        Assert.InRange(TensorBleuCases.Score(tokens, [tokens], new() { Smoothing = smoothing }), 0, 0.9);
    }

    // Padded as a tensor with id 0, which is how the published implementation sees absent tokens.
    private static double Compatible(long[] candidate, long[][] references, BleuSmoothing smoothing)
    {
        var scores = new double[1];
        TensorBleu.Score(TensorBleuCases.Padded<int>([candidate], 0), BleuReferences.Uniform(TensorBleuCases.Padded<int>(references, 0), references.Length),
            scores,
            new() { Smoothing = smoothing, TensorBleuCompatible = true });
        return scores[0];
    }

    private static void AssertClose(double expected, double actual, double relative, string what)
    {
        if (double.IsNaN(expected))
            Assert.True(double.IsNaN(actual), $"{what}: {actual}, not NaN");
        else
            Assert.True(Math.Abs(actual - expected) <= relative * Math.Abs(expected), $"{what}: {actual:r}, not {expected:r}");
    }
}
