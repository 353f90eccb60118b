namespace Kernels.Tests;

/// <summary>Every variant against the oracle, over lengths, magnitudes and special values.</summary>
public abstract class SoftmaxRowTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    private static bool Wide => typeof(T) == typeof(double);

    private static void Check(T[] logits, int rowLength, KernelOptions kernel, string context, bool safe = false)
    {
        int rows = rowLength == 0 ? 0 : logits.Length / rowLength;
        var probabilities = new T[logits.Length];
        var logProbabilities = new T[logits.Length];
        var logSumExp = new T[rows];
        Softmax.Compute<T>(logits, probabilities, rowLength, new() { Safe = safe, Kernel = kernel });
        Softmax.LogSoftmax<T>(logits, logProbabilities, rowLength, new() { Safe = safe, Kernel = kernel });
        Softmax.LogSumExp<T>(logits, logSumExp, rowLength, new() { Safe = safe, Kernel = kernel });
        for (int row = 0; row < rows; row++)
        {
            Range part = (row * rowLength)..((row + 1) * rowLength);
            SoftmaxOracle.Row expected = SoftmaxOracle.Of(Element.ToDoubles<T>(logits.AsSpan(part)), safe, Wide);
            SoftmaxAssert.Probabilities<T>(expected.Probabilities, probabilities.AsSpan(part), $"{context}, probabilities of row {row}");
            SoftmaxAssert.LogProbabilities<T>(expected.LogProbabilities, logProbabilities.AsSpan(part), $"{context}, log-probabilities of row {row}");
            SoftmaxAssert.Logarithm(expected.LogSumExp, logSumExp[row], Element.ToDoubles<T>(logits.AsSpan(part))
                .Max(), $"{context}, log-sum-exp of row {row}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryLengthAgreesWithTheOracle(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in SoftmaxCases.Lengths())
        {
            int rows = length < 300 ? 3 : 1;
            Check(SoftmaxCases.Logits<T>(rows * length, spread: 4, seed: length), length, kernel, $"{variant}, length {length}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryMagnitudeAgreesWithTheOracle(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (double spread in new[] { 0, 1e-30, 1e-3, 30, 300, 3e3, 3e4, 1e10, 1e30 })
        {
            // 2^23 and 2^24: where logarithms of float are subtracted in double, and where neighbours are 2 apart.
            foreach (double shift in new[] { 0, 95, -95, 511.9, 512.1, -700, 5e3, -1e5, 8388607, -8388608, 16777215, 16777300, 1e30, -1e30 })
            {
                double limit = Element.Largest<T>();
                T[] logits = Element.From<T>(Element.ToDoubles<T>(SoftmaxCases.Logits<T>(2 * 67, 1, 5))
                    .Select(x => Math.Clamp(x * spread + shift, -limit, limit)));
                Check(logits, 67, kernel, $"{variant}, spread {spread}, shift {shift}");
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SpecialValuesFollowTheTable(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        const double inf = double.PositiveInfinity, nan = double.NaN;
        double huge = Math.Min(1e30, Element.Largest<T>());
        double[][] rows =
        [
            [-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 1], [nan, 0, 1], [0, 1, nan], [nan, -inf, -inf], [-inf, -inf, nan], [inf, nan, 0], [inf, -inf, inf],
                [88, 1000],
            [huge, -huge], [-huge, -huge], [huge, huge], [-huge, 0], [0], [-inf], [inf], [nan], [-90, -100, -103, 0], [-0.0, 0.0],
        ];
        foreach (double[] row in rows)
        {
            // Alone; at the end of a row longer than a register, than a block; and at its start.
            foreach ((int padding, bool safe) in new[] { (0, false), (0, true), (100, false), (2048, false), (2048, true) })
            {
                double[] filler = [.. Enumerable.Repeat(-inf, padding)];
                string context = $"{variant}, [{string.Join(' ', row)}], padding {padding}, safe {safe}";
                Check(Element.From<T>(filler.Concat(row)), row.Length + padding, kernel, context, safe);
                Check(Element.From<T>(row.Concat(filler)), row.Length + padding, kernel, context, safe);
            }
        }
        // In the second chunk of a row whose first is all minus infinity.
        foreach (double[] row in new double[][] { [-inf, 0, 1], [nan, 0, 1], [inf, 0, 1], [nan, -inf, inf], [-inf, -inf, -inf] })
            Check(Element.From<T>(Enumerable.Repeat(-inf, 66_000).Concat(row)), row.Length + 66_000, kernel,
                $"{variant}, [{string.Join(' ', row)}] in the second chunk");
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ReferenceMovesWithTheLogits(string variant)
    {
        // Each block of 2048 outgrows the last by more than the headroom of its reference, upward and downward, across the limit where the origin changes.
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (double step in new[] { 50, -50, 100, -100, 400, -400, 9000 })
        {
            double[] row = [.. Element.ToDoubles<T>(SoftmaxCases.Logits<T>(9000, 2, 3)).Select((x, i) => x + step * (i / 2048) - 300)];
            Check(Element.From<T>(row), row.Length, kernel, $"{variant}, step {step}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void WidelySpreadLogitsAreRoundedOnce(string variant)
    {
        // Where a logit and the log-sum-exp are of opposite signs their difference is rounded, and must be only then.
        KernelOptions kernel = SoftmaxCases.Force(variant);
        Check(Element.From<T>([85.67624f, 84.17624f, -36.838238f]), 3, kernel, variant);
        foreach (double spread in new double[] { 20, 60, 200 })
            Check(SoftmaxCases.Logits<T>(500 * 64, spread, 7), 64, kernel, $"{variant}, spread {spread}");
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void DenormalProbabilitiesAreKept(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        double deepest = typeof(T) == typeof(double) ? 745 : 104;
        foreach (int length in new[] { 200, 9001 })
        {
            T[] logits = Element.From<T>(Enumerable.Range(0, length).Select(i => -deepest * i / length));
            Check(logits, length, kernel, $"{variant}, length {length}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ProbabilitiesOfALongRowSumToOne(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] logits = SoftmaxCases.Logits<T>(300_000, 3, 11), probabilities = new T[300_000];
        Softmax.Compute<T>(logits, probabilities, logits.Length, new() { Kernel = kernel });
        // Roundings of storage are of either sign, but never more than the roundoff each.
        double bound = SoftmaxAssert.RelativeBound<T>() + Element.StorageRoundoff<T>() + logits.Length * Element.SmallestDenormal<T>();
        DoubleDouble sum = Element.ToDoubles<T>(probabilities).Aggregate((DoubleDouble)0, (total, p) => total + p);
        Assert.InRange((sum - 1).ToDouble(), -bound, bound);
    }
}

public sealed class SoftmaxRowTestsF32 : SoftmaxRowTests<float>;

public sealed class SoftmaxRowTestsF64 : SoftmaxRowTests<double>;

public sealed class SoftmaxRowTestsF16 : SoftmaxRowTests<Half>;

public sealed class SoftmaxRowTestsBF16 : SoftmaxRowTests<BrainFloat16>;
