using System.Numerics;

namespace Kernels.Tests;

/// <summary>Every semiring and every type of values against naive loops, bit for bit.</summary>
public sealed class SpGemmSemiringTests
{
    [Fact]
    public void PlusTimes()
    {
        Check<float, PlusTimes<float>>(random => random.NextSingle() - 0.5f);
        Check<double, PlusTimes<double>>(SpGemmCases.Number);
        Check<int, PlusTimes<int>>(random => random.Next());
        Check<long, PlusTimes<long>>(random => random.NextInt64());
        Check<Complex, PlusTimes<Complex>>(random => new Complex(random.NextDouble() - 0.5, random.NextDouble() - 0.5));
    }

    [Fact]
    public void MinPlus()
    {
        Check<float, MinPlus<float>>(random => random.NextSingle());
        Check<double, MinPlus<double>>(SpGemmCases.Number);
        Check<int, MinPlus<int>>(random => random.Next(1000));
        Check<long, MinPlus<long>>(random => random.Next(1000));
    }

    [Fact]
    public void MaxPlus()
    {
        Check<double, MaxPlus<double>>(SpGemmCases.Number);
        Check<int, MaxPlus<int>>(random => random.Next(1000) - 5000);
    }

    [Fact]
    public void MaxTimes()
    {
        Check<float, MaxTimes<float>>(random => -random.NextSingle());
        Check<double, MaxTimes<double>>(SpGemmCases.Number);
        Check<int, MaxTimes<int>>(random => random.Next(1000) - 500);
    }

    [Fact]
    public void MaxMin()
    {
        Check<double, MaxMin<double>>(SpGemmCases.Number);
        Check<long, MaxMin<long>>(random => random.Next(1000) - 500);
    }

    [Fact]
    public void OrAnd() => Check<bool, OrAnd>(random => random.Next(2) == 1);

    [Fact]
    public void PlusPairFirstSecond()
    {
        Check<long, PlusPair<long>>(random => random.NextInt64());
        Check<int, PlusFirst<int>>(random => random.Next());
        Check<float, PlusSecond<float>>(random => random.NextSingle());
    }

    /// <summary>A semiring of the caller's own, whose multiplication does not commute.</summary>
    private readonly struct Difference : ISemiring<double>
    {
        public static double Zero => -0.0;

        public static double Add(double sum, double product) => sum + product;

        public static double Multiply(double left, double right) => left - right;
    }

    [Fact]
    public void OnesOwn() => Check<double, Difference>(SpGemmCases.Number);

    [Fact]
    public void NaNIsPropagatedByMinimaAndMaxima()
    {
        CsrMatrix<double> left = CsrMatrix.FromDense<double>([1, 2], 1, 2), right = CsrMatrix.FromDense<double>([double.NaN, 1], 2, 1);
        Assert.Equal(double.NaN, SpGemm.Multiply<double, MinPlus<double>>(left, right).Values[0]);
        Assert.Equal(double.NaN, SpGemm.Multiply<double, MaxTimes<double>>(left, right).Values[0]);
    }

    [Fact]
    public void AFailingSemiringEndsTheCallOnAnyNumberOfThreads()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(4000, 4000, 20, 1);
        foreach (int threads in new[] { 1, 3 })
            Assert.Throws<InvalidOperationException>(() =>
                SpGemm.Multiply<double, Failing>(matrix, matrix, new() { Kernel = new() { MaxDegreeOfParallelism = threads } }));
    }

    private readonly struct Failing : ISemiring<double>
    {
        public static double Zero => 0;

        public static double Add(double sum, double product) => product > 0.2499 ? throw new InvalidOperationException("meant to fail") : sum + product;

        public static double Multiply(double left, double right) => left * right;
    }

    private static void Check<T, TSemiring>(Func<Random, T> value) where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        CsrMatrix<T> left = SpGemmCases.Random(40, 60, 0.1, 1, value, true), right = SpGemmCases.Random(60, 50, 0.1, 2, value, true);
        CsrMatrix<T> addend = SpGemmCases.Random(40, 50, 0.1, 3, value);
        Dictionary<(int, int), T> naive = SpGemmOracle.Naive<T, TSemiring>(left, right), accumulated = SpGemmOracle.Naive<T, TSemiring>(left, right, addend);
        foreach (string variant in SpGemmCases.Identities<T>())
        {
            SpGemmCases.AssertIs(naive, SpGemm.Multiply<T, TSemiring>(left, right, new() { Kernel = new() { Variant = variant } }));
            SpGemmCases.AssertIs(accumulated, SpGemm.Multiply<T, TSemiring>(left, right, new() { Addend = addend, Kernel = new() { Variant = variant } }));
        }
        SpGemmPlan<T> plan = SpGemm.Plan(left, right);
        SpGemmCases.AssertIs(naive, plan.Multiply<TSemiring>(left, right));
    }
}
