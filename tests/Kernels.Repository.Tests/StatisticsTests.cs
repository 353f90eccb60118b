using Kernels.Perf;

namespace Kernels.Repository.Tests;

/// <summary>The estimators behind every published figure: on numbers whose answer is known, by simulation, and where there is too little to say.</summary>
public sealed class StatisticsTests
{
    private static double[] Repeated(double value, int count) => [.. Enumerable.Repeat(value, count)];

    [Theory]
    [InlineData(new[] { 3.0 }, 3)]
    [InlineData(new[] { 5.0, 1, 3 }, 3)]
    [InlineData(new[] { 4.0, 1, 3, 2 }, 2.5)]
    public void TheMedianIsTheMiddle(double[] numbers, double median) => Assert.Equal(median, Statistics.Median(numbers));

    [Fact]
    public void AConstantRatioIsKnownExactlyThroughAnyDrift()
    {
        // The machine grows ten times slower in the middle: each round, both.
        double[] own = [1, 1.1, 10, 12, 9, 1.2, 1, 1.3], other = [.. own.Select(seconds => 2 * seconds)];
        var ratio = PairedRatio.Of(other, own);
        Assert.Equal(2, ratio.Median, 12);
        Assert.Equal(2, ratio.Low, 12);
        Assert.Equal(2, ratio.High, 12);
        Assert.True(ratio.IsMeasurable);
    }

    [Fact]
    public void TheRatioIsThatOfPairsNotOfMedians()
    {
        // Medians of 3 and 3: their ratio is 1. Paired, ours is faster in five rounds of seven, by 1.5 mostly.
        double[] own = [1, 2, 2, 3, 4, 4, 6], other = [1.5, 3, 3, 2, 6, 6, 3];
        Assert.Equal(3, Statistics.Median(own));
        Assert.Equal(3, Statistics.Median(other));
        Assert.Equal(1.5, PairedRatio.Of(other, own).Median, 12);
    }

    [Fact]
    public void OneRuinedRoundMovesNeitherTheRatioNorItsInterval()
    {
        double[] own = Repeated(1, 15), other = Repeated(1.25, 15);
        other[7] = 1000;
        var ratio = PairedRatio.Of(other, own);
        Assert.Equal(1.25, ratio.Median, 12);
        Assert.Equal(1.25, ratio.High, 12);
    }

    [Fact]
    public void TheOtherWayRoundIsTheInverse()
    {
        var random = new Random(5);
        double[] own = Noisy(random, 1, 0.2, 21), other = Noisy(random, 1.3, 0.2, 21);
        PairedRatio there = PairedRatio.Of(other, own), back = PairedRatio.Of(own, other);
        Assert.Equal(1 / there.Median, back.Median, 12);
        // The same resamples, cut off at the same places.
        Assert.Equal(1 / there.High, back.Low, 12);
        Assert.Equal(1 / there.Low, back.High, 12);
    }

    [Fact]
    public void TheSameSamplesGiveTheSameInterval()
    {
        double[] own = Noisy(new Random(6), 1, 0.3, 25), other = Noisy(new Random(7), 2, 0.3, 25);
        Assert.Equal(PairedRatio.Of(other, own), PairedRatio.Of(other, own));
    }

    // The percentile interval of a median is that of order statistics, at least 95 % but for its steps; 9 to 31 rounds are what compare takes. Of 400
    // repetitions a share of 0.95 has a standard deviation of 0.011.
    [Theory]
    [InlineData(9, 0.1)]
    [InlineData(15, 0.1)]
    [InlineData(31, 0.1)]
    [InlineData(31, 1)]
    public void TheIntervalHoldsTheTrueRatioInNineteenOfTwentyRuns(int rounds, double noise)
    {
        const int Repetitions = 400;
        const double True = 1.2;
        var random = new Random(rounds);
        int held = 0;
        for (int i = 0; i < Repetitions; i++)
        {
            // What both suffer in a round is common to them, and falls out.
            double[] drift = Noisy(random, 1, 1, rounds);
            double[] own = [.. Noisy(random, 1, noise, rounds).Zip(drift, (a, b) => a * b)],
                other = [.. Noisy(random, True, noise, rounds).Zip(drift, (a, b) => a * b)];
            var ratio = PairedRatio.Of(other, own);
            if (ratio.Low <= True && True <= ratio.High)
                held++;
        }
        Assert.InRange(held / (double)Repetitions, 0.92, 0.995);
    }

    [Fact]
    public void MoreRoundsNarrowTheInterval()
    {
        var random = new Random(8);
        double Width(int rounds) => Enumerable.Range(0, 50)
            .Average(_ => PairedRatio.Of(Noisy(random, 1, 0.3, rounds), Noisy(random, 1, 0.3, rounds)) is var ratio ? Math.Log(ratio.High / ratio.Low) : 0);
        // As the root of their number: four times as many, half the width.
        Assert.InRange(Width(100) / Width(25), 0.4, 0.65);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void FewerThanSixPairsHaveNoInterval(int rounds)
    {
        var ratio = PairedRatio.Of(Repeated(2, rounds), Repeated(1, rounds));
        Assert.Equal(2, ratio.Median, 12);
        Assert.False(ratio.IsMeasurable);
        Assert.True(PairedRatio.Of(Repeated(2, 6), Repeated(1, 6)).IsMeasurable);
    }

    [Theory]
    [InlineData(new double[0], new double[0])]
    [InlineData(new[] { 1.0, 2 }, new[] { 1.0 })]
    [InlineData(new[] { 1.0, 0 }, new[] { 1.0, 1 })]
    [InlineData(new[] { 1.0, 1 }, new[] { 1.0, -1 })]
    [InlineData(new[] { double.NaN }, new[] { 1.0 })]
    public void WhatIsNoPairOfTimesIsRefused(double[] other, double[] own) => Assert.Throws<ArgumentException>(() => PairedRatio.Of(other, own));

    [Theory]
    [InlineData(1, 1.5, true)]
    [InlineData(1, 1.51, false)]
    [InlineData(0.2, 0.31, false)]
    public void AFactorOfOneAndAHalfIsTheWidestInterval(double low, double high, bool isMeasurable) =>
        Assert.Equal(isMeasurable, new PairedRatio(Math.Sqrt(low * high), low, high).IsMeasurable);

    [Fact]
    public void TheIntervalOfAMeanIsTheRootOfSquaresOverTheirNumber()
    {
        // Half widths of a factor e^0.3 and e^0.4: e^(0.5 / 2).
        double e3 = Math.Exp(0.3), e4 = Math.Exp(0.4);
        var mean = PairedRatio.GeometricMean([new(4, 4 / e3, 4 * e3), new(1, 1 / e4, e4)]);
        Assert.Equal(2, mean.Median, 12);
        Assert.Equal(2 * Math.Exp(-0.25), mean.Low, 12);
        Assert.Equal(2 * Math.Exp(0.25), mean.High, 12);
    }

    // Logarithms are normal (Box and Muller).
    private static double[] Noisy(Random random, double centre, double noise, int count) =>
        [.. Enumerable.Range(0, count)
        .Select(_ => centre * Math.Exp(noise * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
}
