namespace Kernels.Tests;

/// <summary>Results against the definition: sizes around every edge, magnitudes, ignored targets, special values.</summary>
public sealed class LinearCrossEntropyTests
{
    public static TheoryData<string> Variants => LinearCrossEntropyCases.Variants;

    // Around registers, slivers, tiles (256 words), stretches (more than 64 tiles), gaps (64 tokens) and blocks (1024 tokens).
    private static readonly LinearClassifierShape[] s_shapes =
    [
        new(1, 1, 1), new(1, 3, 2), new(2, 1, 7), new(5, 8, 15), new(6, 17, 16), new(7, 16, 17), new(8, 33, 31), new(9, 64, 33), new(13, 5, 63),
        new(3, 40, 255), new(4, 7, 256),
        new(17, 9, 257), new(2, 12, 511), new(3, 130, 1000), new(2, 2, 16_640), new(1, 400, 300), new(63, 6, 40), new(1023, 2, 3), new(1024, 3, 5),
        new(1025, 2, 9), new(2100, 1, 2),
    ];

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EverySizeIsWithinTheBound(string variant)
    {
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        foreach (LinearClassifierShape shape in s_shapes)
        {
            foreach (bool hasBias in new[] { false, true })
            {
                var data = new ClassifierData(shape, seed: shape.VocabularySize, hasBias: hasBias);
                LinearCrossEntropyCases.AssertWithinBounds(data, data.Run(kernel));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryMagnitudeIsWithinTheBound(string variant)
    {
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        foreach (double spread in new[] { 0, 1e-30, 1e-4, 10, 300, 1e4, 1e15, 1e30 })
        {
            var data = new ClassifierData(new(5, 6, 700), spread, hasBias: spread < 1);
            LinearCrossEntropyCases.AssertWithinBounds(data, data.Run(kernel));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AUniformDistributionLosesTheLogarithmOfTheVocabulary(string variant)
    {
        foreach (int words in new[] { 2, 31, 256, 300, 20_000 })
        {
            var data = new ClassifierData(new(3, 4, words), spread: 0);
            data.Run(LinearCrossEntropyCases.Force(variant));
            Assert.All(data.Losses, loss => Assert.Equal((float)Math.Log(words), loss));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AVocabularyOfOneWordLosesNothing(string variant)
    {
        foreach (double spread in new[] { 1, 1000, 1e20 })
        {
            var data = new ClassifierData(new(70, 9, 1), spread, hasBias: true);
            CrossEntropyReport report = data.Run(LinearCrossEntropyCases.Force(variant));
            Assert.Equal(new CrossEntropyReport(0, 70), report);
            Assert.All(data.Losses, loss => Assert.Equal(0, BitConverter.SingleToInt32Bits(loss)));
            Assert.All(data.LogProbabilities, logProbability => Assert.Equal(0, BitConverter.SingleToInt32Bits(logProbability)));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void IgnoredTokensHaveNoInfluence(string variant)
    {
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        // Gaps at the ends, short ones, and longer ones than a block bridges.
        foreach ((int begin, int end) in new[] { (0, 1), (0, 100), (3, 5), (40, 103), (40, 104), (40, 105), (299, 300), (150, 300), (0, 300) })
        {
            var clean = new ClassifierData(new(300, 5, 270));
            CrossEntropyReport all = clean.Run(kernel);
            var data = new ClassifierData(new(300, 5, 270));
            data.Targets.AsSpan(begin, end - begin).Fill(LinearCrossEntropyOptions.DefaultIgnoredTarget);
            foreach (float poison in new[] { 0, float.NaN, float.PositiveInfinity })
            {
                data.Hidden.AsSpan(begin * 5, (end - begin) * 5).Fill(poison);
                CrossEntropyReport report = data.Run(kernel);
                Assert.Equal(LinearCrossEntropyCases.Bits(clean, 0, begin), LinearCrossEntropyCases.Bits(data, 0, begin));
                Assert.Equal(LinearCrossEntropyCases.Bits(clean, end, 300 - end), LinearCrossEntropyCases.Bits(data, end, 300 - end));
                Assert.All(LinearCrossEntropyCases.Bits(data, begin, end - begin), bits => Assert.Equal(0, bits));
                Assert.Equal(300 - (end - begin), report.CountedTokens);
                Assert.Equal(all.Sum - clean.Losses[begin..end].Sum(loss => (double)loss), report.Sum, all.Sum * 1e-6);
                Assert.Equal(report.CountedTokens == 0 ? 0 : report.Sum / report.CountedTokens, report.Mean);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AnyNumberMayBeTheIgnoredTarget(string variant)
    {
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        foreach (int ignored in new[] { 2, -1, int.MinValue, int.MaxValue })
        {
            var data = new ClassifierData(new(20, 4, 5)) { IgnoredTarget = ignored };
            data.Targets[3] = ignored;
            CrossEntropyReport report = data.Run(kernel);
            Assert.InRange(report.CountedTokens, 1, 19);
            LinearCrossEntropyCases.AssertWithinBounds(data, report);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void InfinitiesAndNaNAreWhatTheDefinitionSays(string variant)
    {
        const float infinity = float.PositiveInfinity;
        foreach (int words in new[] { 3, 40, 300, 600 })
        {
            // One logit of token 1 is special: in the first word, or in the last.
            foreach (int place in new[] { 0, words - 1 })
            {
                Check(float.NaN, isTarget: false, float.NaN, float.NaN);
                Check(float.NaN, isTarget: true, float.NaN, float.NaN);
                Check(infinity, isTarget: false, infinity, infinity);
                Check(infinity, isTarget: true, infinity, float.NaN);
                Check(-infinity, isTarget: true, null, infinity);
                Check(-infinity, isTarget: false, null, null);

                void Check(float special, bool isTarget, float? logSumExp, float? loss)
                {
                    // Logits are biases: hidden states are zeros.
                    var data = new ClassifierData(new(3, 2, words), spread: 0, hasBias: true);
                    data.Bias[place] = special;
                    Array.Fill(data.Targets, isTarget ? place : 1);
                    data.Run(LinearCrossEntropyCases.Force(variant));
                    double others = Math.Log(data.Bias.Where(bias => !float.IsNegativeInfinity(bias)).Sum(bias => Math.Exp(bias)));
                    Assert.Equal(logSumExp ?? others, data.LogSumExp[1], 1e-5);
                    Assert.Equal(loss ?? others - data.Bias[1], data.Losses[1], 1e-5);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ARowOfNothingButMinusInfinitiesHasNoProbabilities(string variant)
    {
        var data = new ClassifierData(new(2, 2, 270), spread: 0, hasBias: true);
        Array.Fill(data.Bias, float.NegativeInfinity);
        data.Run(LinearCrossEntropyCases.Force(variant));
        Assert.All(data.LogSumExp, sum => Assert.Equal(float.NegativeInfinity, sum));
        Assert.All(data.Losses, loss => Assert.Equal(float.NaN, loss));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ExcludedWordsChangeNoBit(string variant)
    {
        // 300 words of which the last 44 are excluded, and those 256 alone: whole tiles.
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        var few = new ClassifierData(new(4, 6, 256), hasBias: true);
        few.Run(kernel);
        float[] weights = [.. few.Weights, .. Enumerable.Repeat(1f, 44 * 6)], bias = [.. few.Bias, .. Enumerable.Repeat(float.NegativeInfinity, 44)],
            losses = new float[4];
        LinearCrossEntropy.TokenLosses(few.Hidden, weights, few.Targets, losses, new(4, 6, 300), new() { Bias = bias, Kernel = kernel });
        Assert.Equal(few.Losses, losses);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ANaNStaysInItsToken(string variant)
    {
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        var clean = new ClassifierData(new(20, 7, 300));
        clean.Run(kernel);
        var data = new ClassifierData(new(20, 7, 300));
        data.Hidden[9 * 7 + 3] = float.NaN;
        CrossEntropyReport report = data.Run(kernel);
        Assert.Equal(LinearCrossEntropyCases.Bits(clean, 0, 9), LinearCrossEntropyCases.Bits(data, 0, 9));
        Assert.Equal(LinearCrossEntropyCases.Bits(clean, 10, 10), LinearCrossEntropyCases.Bits(data, 10, 10));
        Assert.Equal(float.NaN, data.Losses[9]);
        Assert.Equal(double.NaN, report.Sum);
    }

    [Fact]
    public void NothingHasALossOfNothing()
    {
        var data = new ClassifierData(new(0, 3, 5));
        Assert.Equal(default, data.Run(default));
        Assert.Equal(0, data.Run(default).Mean);
    }
}
