namespace Kernels.Tests;

/// <summary>
/// Test vectors that others published: NLTK's doctests and unit tests, sacreBLEU's unit tests, torchmetrics' and .NET's evaluation library's examples.
/// </summary>
public sealed class TensorBleuVectorTests
{
    // Papineni et al. 2002.
    private const string R1 = "It is a guide to action that ensures that the military will forever heed Party commands";
    private const string R2 = "It is the guiding principle which guarantees the military forces always being under the command of the Party";
    private const string R3 = "It is the practical guide for the army always to heed the directions of the party";
    private const string H1 = "It is a guide to action which ensures that the military always obeys the commands of the party";
    private const string H2 = "It is to insure the troops forever hearing the activity guidebook that party direct";
    private const string Hh = "he read the book because he was interested in world history";
    private const string Rr = "he was interested in world history because he read the book";

    private static readonly long[][] s_references = [TensorBleuCases.Ids(R1), TensorBleuCases.Ids(R2), TensorBleuCases.Ids(R3)];

    public static TheoryData<string, string, double[]> Sentences => new()
    {
        { H1, R1 + "|" + R2 + "|" + R3, [0.5045666840058485] },
        { H2, R1 + "|" + R2 + "|" + R3, [5.92086005993801e-155, 0.03703131191121491, 0.13111209575157431, 0.06963003305718092, 0.050586660655564,
            0.13294741324283815, double.NaN, 0.14758356058214836] },
        { H1, R1, [0.41180376356915777, 0.41180376356915777, 0.4452945001507636, 0.41180376356915777, 0.41180376356915777, 0.4905328138015114,
            0.41358958106633686, 0.4905328138015114] },
        { Hh, Rr, [0.7400828044922853] },
        { "John loves Mary who loves Mike", "John loves Mary", [5.775353993361614e-78] },
        { "let go it", "let it go", [1.821831989445342e-231] },
    };

    [Theory]
    [MemberData(nameof(Sentences))]
    public void NltkSentences(string candidate, string references, double[] expected)
    {
        for (int method = 0; method < expected.Length; method++)
        {
            double actual = TensorBleuCases.Score(TensorBleuCases.Ids(candidate), [.. references.Split('|').Select(TensorBleuCases.Ids)],
                new() { Smoothing = BleuSmoothing.NltkMethod0 + method });
            Assert.True(double.IsNaN(expected[method]) ? double.IsNaN(actual) : Math.Abs(actual / expected[method] - 1) < 1e-13,
                $"method {method}: {actual:r}");
        }
    }

    [Fact]
    public void NltkMethod4OfAShortSentence() =>
        Assert.Equal(4.426730592500287, TensorBleuCases.Score(TensorBleuCases.Ids("It is ."), [TensorBleuCases.Ids("It is a place of quiet contemplation .")],
        new() { Smoothing = BleuSmoothing.NltkMethod4, Percent = true }), 1e-12);

    [Fact]
    public void SeveralWeightSetsGiveTheSingleScores()
    {
        double[] expected = [0.7453559924999299, 0.6240726989348756, 0.5045666840058485, 0.39202634084155785];
        double[] weights = [0.5, 0.5, 0, 0, 0, .. Enumerable.Repeat(1 / 3.0, 3), 0, 0, .. Enumerable.Repeat(0.25, 4), 0, .. Enumerable.Repeat(0.2, 5)];
        BleuSentence[] batch = [new(TensorBleuCases.Ids(H1), s_references)];
        var scores = new double[4];
        TensorBleu.Score(TensorBleuCases.Candidates<int>(batch), TensorBleuCases.References<int>(batch), scores,
            new() { MaxOrder = 5, Weights = weights, Smoothing = BleuSmoothing.NltkMethod0 });
        Assert.All(expected.Zip(scores), pair => Assert.Equal(pair.First, pair.Second, 1e-15));
    }

    [Fact]
    public void NltkCorpora()
    {
        BleuStatistics statistics = Corpus([new(TensorBleuCases.Ids(H1), s_references), new(TensorBleuCases.Ids(Hh), [TensorBleuCases.Ids(Rr)])], 5);
        Assert.Equal(0.5920778868801042, statistics.Score(new() { Smoothing = BleuSmoothing.NltkMethod0 }), 1e-15);
        Assert.Equal(0.5818765313748497, statistics.Score(new() { Smoothing = BleuSmoothing.NltkMethod0, Weights = [0.1, 0.3, 0.5, 0.1] }), 1e-15);
        var scores = new double[4];
        double[] weights = [0.5, 0.5, 0, 0, 0, 0.333, 0.333, 0.334, 0, 0, .. Enumerable.Repeat(0.25, 4), 0, .. Enumerable.Repeat(0.2, 5)];
        statistics.Scores(scores, new() { MaxOrder = 5, Smoothing = BleuSmoothing.NltkMethod0, Weights = weights });
        double[] expected = [0.8242803277698696, 0.7067259260175768, 0.5920778868801042, 0.4719230742411042];
        Assert.All(expected.Zip(scores), pair => Assert.Equal(pair.First, pair.Second, 1e-15));
    }

    [Theory]
    [InlineData("the the the the the the the", "the cat is on the mat|there is a cat on the mat", new long[] { 2, 7, 0, 6 })]
    [InlineData("of the", R1 + "|" + R2 + "|" + R3, new long[] { 2, 2, 1, 1 })]
    [InlineData(H1, R1 + "|" + R2 + "|" + R3, new long[] { 17, 18, 10, 17 })]
    [InlineData(H2, R1 + "|" + R2 + "|" + R3, new long[] { 8, 14, 1, 13 })]
    public void ModifiedPrecisions(string candidate, string references, long[] expected)
    {
        BleuStatistics found = Corpus([new(TensorBleuCases.Ids(candidate), [.. references.Split('|').Select(TensorBleuCases.Ids)])], 2);
        long[] actual = [found.Matches(1), found.Totals(1), found.Matches(2), found.Totals(2)];
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(new[] { 11, 8 }, 7, 0.8668778997501817)]
    [InlineData(new[] { 11, 8, 6, 7 }, 7, 1)]
    [InlineData(new[] { 28, 28 }, 12, 0.2635971381157267)]
    [InlineData(new[] { 13, 2 }, 12, 0.9200444146293233)]
    [InlineData(new[] { 13, 11 }, 12, 1)]
    [InlineData(new[] { 11, 13 }, 12, 1)]
    [InlineData(new[] { 12, 15, 17 }, 12, 1)]
    public void BrevityPenalties(int[] referenceLengths, int candidateLength, double expected)
    {
        long[][] references = [.. referenceLengths.Select(length => new long[length])];
        Assert.Equal(expected, TensorBleuCases.Score(new long[candidateLength], references, new() { MaxOrder = 1 }), 1e-15);
    }

    [Theory]
    [InlineData("this is a test", "ref1", 0)]
    [InlineData("this is a fest", "this is a test", 0.223606797749979)]
    [InlineData("test", "a test", 0.3678794411714425)]
    [InlineData("a test", "a test", 1)]
    [InlineData("a little test", "a test", 0.03218297948685433)]
    public void SacreBleuRawSentences(string candidate, string reference, double expected) =>
        Assert.Equal(expected, TensorBleuCases.Score(TensorBleuCases.Ids(candidate), [TensorBleuCases.Ids(reference)],
        new() { Smoothing = BleuSmoothing.Floor, SmoothingValue = 0.01, EffectiveOrder = true }), 1e-8);

    [Fact]
    public void SacreBleuStatistics()
    {
        long[] counts = [9, 7, 5, 3], totals = [10, 8, 6, 4];
        Assert.Equal(0.8375922397, BleuStatistics.FromCounts(counts, totals, 11, 11).Score(new() { Smoothing = BleuSmoothing.Floor }), 1e-8);
        foreach (long[] few in new long[][] { [0, 0, 0, 0], [6, 0, 0, 0], [6, 5, 0, 0], [6, 5, 4, 0] })
            Assert.Equal(0, BleuStatistics.FromCounts(few, [6, 5, 4, 3], 6, 6).Score(new() { Smoothing = BleuSmoothing.None }));
        Assert.Equal(0, BleuStatistics.FromCounts([6, 5, 4, 0], [6, 5, 4, 3], 6, 6).Score(new() { Smoothing = BleuSmoothing.Floor, SmoothingValue = 0 }));
        BleuStatistics clipped = Corpus([new(TensorBleuCases.Ids("am I am a character sequence"), [TensorBleuCases.Ids("I am a symbol string sequence a a")])],
            4);
        Assert.Equal((4, 2, 1, 0), (clipped.Matches(1), clipped.Matches(2), clipped.Matches(3), clipped.Matches(4)));
        Assert.Equal(0.1555722182, clipped.Score(new() { Smoothing = BleuSmoothing.Floor }), 1e-8);
        Assert.Equal(0, clipped.Score(new() { Smoothing = BleuSmoothing.Floor, SmoothingValue = 0 }));
    }

    [Fact]
    public void TorchMetricsExample() =>
        Assert.Equal(0.7598, TensorBleuCases.Score(TensorBleuCases.Ids("the cat is on the mat"),
        [TensorBleuCases.Ids("there is a cat on the mat"), TensorBleuCases.Ids("a cat is on the mat")], new() { Smoothing = BleuSmoothing.None }), 5e-5);

    [Fact]
    public void PartsAddUpToTheWhole()
    {
        BleuSentence[] batch = TensorBleuCases.Random(90, 30, 20, 3, seed: 4);
        BleuStatistics whole = Corpus(batch, 4), parts = default;
        foreach (BleuSentence[] part in batch.Chunk(7).Reverse())
            parts += Corpus(part, 4);
        Assert.Equal(whole, parts);
        Assert.Equal(whole.Score(), parts.Score());
        var bytes = new byte[BleuStatistics.SerializedBytes];
        whole.Write(bytes);
        Assert.Equal(whole, BleuStatistics.Read(bytes));
        bytes[0] ^= 1;
        Assert.Throws<FormatException>(() => BleuStatistics.Read(bytes));
    }

    public static TheoryData<string> Variants => TensorBleuCases.Variants<int>();

    // Whatever counted them, and however many orders it counts at once.
    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void StatisticsOfEqualCountsAreEqual(string variant)
    {
        BleuSentence[] batch = TensorBleuCases.Random(60, 20, 3, 1, seed: 6, fewestReferences: 1);
        foreach (int orders in new[] { 1, 2, 3, 4, 5, 8 })
        {
            BleuStatistics counted = TensorBleu.Accumulate(
                TensorBleuCases.Candidates<int>(batch), TensorBleuCases.References<int>(batch),
                new() { MaxOrder = orders, Kernel = new() { Variant = variant } });
            long[] matches = [.. Enumerable.Range(1, orders).Select(counted.Matches)], totals = [.. Enumerable.Range(1, orders).Select(counted.Totals)];
            foreach (BleuSentence[] one in batch.Chunk(1))
            {
                BleuStatistics sentence = TensorBleu.Accumulate(
                    TensorBleuCases.Candidates<int>(one), TensorBleuCases.References<int>(one),
                    new() { MaxOrder = orders, Kernel = new() { Variant = variant } });
                Assert.Equal(
                    BleuStatistics.FromCounts(
                        [.. Enumerable.Range(1, orders).Select(sentence.Matches)], [.. Enumerable.Range(1, orders).Select(sentence.Totals)],
                        sentence.CandidateLength, sentence.ReferenceLength),
                    sentence);
                for (int order = 1; order <= orders; order++)
                    (matches[order - 1], totals[order - 1]) = (matches[order - 1] - sentence.Matches(order), totals[order - 1] - sentence.Totals(order));
            }
            Assert.All(matches.Concat(totals), rest => Assert.Equal(0, rest));
        }
    }

    [Fact]
    public void BootstrapIsRepeatableAndHoldsTheScore()
    {
        BleuSentence[] batch = TensorBleuCases.Random(300, 30, 20, 2, seed: 5, fewestReferences: 1);
        var statistics = new BleuStatistics[batch.Length];
        using var scorer = new BleuScorer();
        scorer.Statistics(TensorBleuCases.Candidates<int>(batch), TensorBleuCases.References<int>(batch), statistics);
        BleuInterval first = TensorBleu.Bootstrap(statistics, resamples: 500, seed: 3), again = TensorBleu.Bootstrap(statistics, resamples: 500, seed: 3),
            other = TensorBleu.Bootstrap(statistics, resamples: 500, seed: 4);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(Corpus(batch, 4).Score(), first.Score);
        Assert.True(first.Low < first.Score && first.Score < first.High && first.High - first.Low < 0.2, first.ToString());
    }

    [Fact]
    public void SignaturesNameEveryChoice()
    {
        Assert.Equal("nrefs:1|case:mixed|eff:no|tok:ids|smooth:exp|order:4|version:0.1.0", BleuSignature.Of(default, 1));
        var options = new BleuOptions
        {
            MaxOrder = 2,
            Weights = [0.5, 0.25],
            Smoothing = BleuSmoothing.NltkMethod4,
            SmoothingValue = 3.5,
            EffectiveOrder = true
        };
        Assert.Equal("nrefs:var|case:lc|eff:yes|tok:13a|smooth:nltk4[3.5]|order:2|weights:0.5,0.25|version:0.1.0",
            BleuSignature.Of(options, 0, BleuTokenizer.Mteval13a, lowercase: true));
        Assert.Contains("|mode:tensorbleu|", BleuSignature.Of(new() { TensorBleuCompatible = true }, 2), StringComparison.Ordinal);
    }

    private static BleuStatistics Corpus(BleuSentence[] batch, int orders) =>
        TensorBleu.Accumulate(TensorBleuCases.Candidates<int>(batch), TensorBleuCases.References<int>(batch), new() { MaxOrder = orders });
}
