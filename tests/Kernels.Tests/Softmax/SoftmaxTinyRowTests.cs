using CommunityToolkit.HighPerformance;

namespace Kernels.Tests;

/// <summary>Rows too short for a register, which are done as columns of tiles: many of them, in every form, each with the bits that it has alone.</summary>
public abstract class SoftmaxTinyRowTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    // Around the rows of a tile (256), and one more than a few of them.
    private static readonly int[] s_rowCounts = [1, 255, 256, 257, 1025];

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AgreeWithTheOracleInAnyNumber(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        for (int length = 1; length <= 9; length++)
        {
            foreach (int rows in s_rowCounts)
            {
                T[] logits = SoftmaxCases.Logits<T>(rows * length, 20, length);
                T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length], sums = new T[rows];
                Softmax.Compute<T>(logits, probabilities, length, new() { Kernel = kernel });
                Softmax.LogSoftmax<T>(logits, logarithms, length, new() { Kernel = kernel });
                Softmax.LogSumExp<T>(logits, sums, length, new() { Kernel = kernel });
                for (int row = 0; row < rows; row++)
                {
                    string context = $"{variant}, row {row} of {rows} x {length}";
                    double[] own = Element.ToDoubles<T>(logits.AsSpan(row * length, length));
                    SoftmaxOracle.Row expected = SoftmaxOracle.Of(own, safe: false, wide: typeof(T) == typeof(double));
                    SoftmaxAssert.Probabilities<T>(expected.Probabilities, probabilities.AsSpan(row * length, length), context);
                    SoftmaxAssert.LogProbabilities<T>(expected.LogProbabilities, logarithms.AsSpan(row * length, length), context);
                    SoftmaxAssert.Logarithm(expected.LogSumExp, sums[row], own.Max(), context);
                }
            }
        }
    }

    // Special values, strides, scale, cap and masks, with a row's mates of every kind: the same bits as the row by itself.
    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ARowHasItsBitsInAnyCompany(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 600, -3000, 0];
        var random = new Random(3);
        foreach (int length in new[] { 1, 2, 3, 8, 9 })
        {
            const int rows = 300;
            int stride = length + 2;
            T[] logits = Element.From<T>(Enumerable.Range(0, rows * stride)
                .Select(_ => random.Next(4) == 0 ? special[random.Next(6)] : random.NextDouble() * 10));
            T[] mask = SoftmaxCases.Logits<T>(rows * length, 1, length);
            bool[] takesPart = [.. Enumerable.Range(0, rows * length).Select(_ => random.Next(3) > 0)];
            foreach ((bool isLog, bool safe) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                var together = new T[rows * stride];
                var options = new SoftmaxOptions<T> { Scale = 0.7, SoftCap = 30, AdditiveMask = mask, BooleanMask = takesPart, Safe = safe, Kernel = kernel };
                Run(isLog, new ReadOnlySpan2D<T>(logits, 0, rows, length, 2), new Span2D<T>(together, 0, rows, length, 2), options);
                for (int row = 0; row < rows; row++)
                {
                    var alone = new T[length];
                    Range own = (row * length)..((row + 1) * length);
                    var ownOptions = options with { AdditiveMask = mask[own], BooleanMask = takesPart[own] };
                    Run(isLog, new ReadOnlySpan2D<T>(logits, row * stride, 1, length, 0), new Span2D<T>(alone, 1, length), ownOptions);
                    Assert.Equal(Element.ToDoubles<T>(alone), Element.ToDoubles<T>(together.AsSpan(row * stride, length)));
                }
                // What stands between the rows is not the kernel's.
                for (int i = 0; i < together.Length; i++)
                    Assert.True(i % stride < length || Element.ToDouble(together[i]) == 0, $"{variant}, length {length}: element {i} between rows was written");
            }
        }
    }

    private static void Run(bool isLog, ReadOnlySpan2D<T> logits, Span2D<T> results, SoftmaxOptions<T> options)
    {
        if (isLog)
            Softmax.LogSoftmax(logits, results, options);
        else
            Softmax.Compute(logits, results, options);
    }
}

public sealed class SoftmaxTinyRowTestsF32 : SoftmaxTinyRowTests<float>;

public sealed class SoftmaxTinyRowTestsF64 : SoftmaxTinyRowTests<double>;

public sealed class SoftmaxTinyRowTestsF16 : SoftmaxTinyRowTests<Half>;

public sealed class SoftmaxTinyRowTestsBF16 : SoftmaxTinyRowTests<BrainFloat16>;
