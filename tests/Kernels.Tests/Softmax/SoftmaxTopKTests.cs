namespace Kernels.Tests;

/// <summary>Top-k against a stable sort.</summary>
public abstract class SoftmaxTopKTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EqualsAStableSort(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in new[] { 1, 2, 7, 64, 129, 1000, 5000 })
        {
            // Rounded to quarters, so that there are many ties; some minus infinities.
            T[] logits = Element.From<T>(Element.ToDoubles<T>(SoftmaxCases.Logits<T>(2 * length, 3, length))
                .Select((x, i) => i % 9 == 4 ? double.NegativeInfinity : Math.Round(4 * x) / 4));
            foreach (int count in new[] { 0, 1, 2, 5, length / 2, length - 1, length }.Distinct().Where(k => k <= length))
                Check(variant, kernel, logits, length, count, visible: length);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SortedInputAndShortRows(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        Check(variant, kernel, Element.From<T>(Enumerable.Range(0, 600).Select(i => (double)i / 64)), 600, 40, 600);
        Check(variant, kernel, Element.From<T>(Enumerable.Range(0, 600).Select(i => -(double)i / 64)), 600, 40, 600);
        Check(variant, kernel, SoftmaxCases.Logits<T>(600, 2, 1), 600, 40, visible: 25);
        Check(variant, kernel, SoftmaxCases.Logits<T>(600, 2, 1), 600, 40, visible: 0);
    }

    private static void Check(string variant, KernelOptions kernel, T[] logits, int length, int count, int visible)
    {
        int rows = logits.Length / length;
        var values = new T[rows * count];
        var indices = new int[rows * count];
        int[] lengths = [.. Enumerable.Repeat(visible, rows)];
        Softmax.TopK<T>(logits, values, indices, length, count, new() { RowLengths = lengths, Safe = true, Kernel = kernel });
        for (int row = 0; row < rows; row++)
        {
            double[] z = [.. Element.ToDoubles<T>(logits.AsSpan(row * length, length)).Select((x, i) => i < visible ? x : double.NegativeInfinity)];
            int[] order = [.. Enumerable.Range(0, length).OrderByDescending(i => z[i]).Take(count)];
            SoftmaxOracle.Row expected = SoftmaxOracle.Of(z, safe: true, wide: typeof(T) == typeof(double));
            Assert.Equal(order, indices[(row * count)..((row + 1) * count)]);
            SoftmaxAssert.Probabilities<T>([.. order.Select(i => expected.Probabilities[i])], values.AsSpan(row * count, count),
                $"{variant}, length {length}, count {count}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RowsWithNaNGiveNaN(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] logits = SoftmaxCases.Logits<T>(300, 1, 1), values = new T[3];
        var indices = new int[3];
        logits[200] = Element.FromDouble<T>(double.NaN);
        Softmax.TopK<T>(logits, values, indices, 300, 3, new() { Kernel = kernel });
        Assert.Equal([0, 1, 2], indices);
        Assert.All(values, value => Assert.True(double.IsNaN(Element.ToDouble(value))));
    }
}

public sealed class SoftmaxTopKTestsF32 : SoftmaxTopKTests<float>;

public sealed class SoftmaxTopKTestsF64 : SoftmaxTopKTests<double>;

public sealed class SoftmaxTopKTestsF16 : SoftmaxTopKTests<Half>;

public sealed class SoftmaxTopKTestsBF16 : SoftmaxTopKTests<BrainFloat16>;
