namespace Kernels.Tests;

/// <summary>
/// Probabilities are probabilities: none is above 1, no logarithm above 0, and a row with a single logit is exactly 1 and 0, in every form and along every
/// axis.
/// </summary>
public abstract class SoftmaxUnityTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    // From where on logits are exponentiated relative to the largest of them, and far beyond.
    private static readonly double[] s_shifts = [0, 85, -300, 513, 2049, -2060, 3000, 60_000];

    // Of each form: in a scratch, in the output, two passes, in chunks.
    private static readonly int[] s_lengths = [1, 2, 3, 17, 64, 5000, 9001, 70_000];

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ARowOfOneIsExactlyOneAndZero(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] logits = Element.From<T>(Enumerable.Range(-1023, 2047).Select(i => (double)i).Concat(Element.ToDoubles<T>(SoftmaxCases.Logits<T>(2000, 90, 1)))
            .Concat([1e4, -1e4, 6e4]));
        T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length], sums = new T[logits.Length];
        foreach (bool isColumn in new[] { false, true })
        {
            int[] dimensions = isColumn ? [1, logits.Length] : [logits.Length, 1];
            int axis = isColumn ? 0 : 1;
            Softmax.Compute<T>(logits, probabilities, dimensions, axis, new() { Kernel = kernel });
            Softmax.LogSoftmax<T>(logits, logarithms, dimensions, axis, new() { Kernel = kernel });
            Softmax.LogSumExp<T>(logits, sums, dimensions, axis, new() { Kernel = kernel });
            AssertAll(1, probabilities, $"{variant}, column {isColumn}, probabilities");
            AssertAll(0, logarithms, $"{variant}, column {isColumn}, log-probabilities");
            Assert.Equal(Element.ToDoubles<T>(logits), Element.ToDoubles<T>(sums));
        }
        Softmax.TopK<T>(logits, probabilities, new int[logits.Length], 1, 1, new() { Kernel = kernel });
        AssertAll(1, probabilities, $"{variant}, top-k");
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SoIsTheOnlyLogitThatTakesPart(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        foreach (int length in s_lengths)
        {
            T[] logits = SoftmaxCases.Logits<T>(length, 50, length), probabilities = new T[length], logarithms = new T[length], sum = new T[1];
            for (int kept = 0; kept < length; kept += Math.Max(1, length / 5))
            {
                var takesPart = new bool[length];
                takesPart[kept] = true;
                var options = new SoftmaxOptions<T> { BooleanMask = takesPart, Kernel = kernel };
                foreach (bool isColumn in new[] { false, true })
                {
                    int[] dimensions = isColumn ? [length, 1] : [1, length];
                    int axis = isColumn ? 0 : 1;
                    Softmax.Compute<T>(logits, probabilities, dimensions, axis, options);
                    Softmax.LogSoftmax<T>(logits, logarithms, dimensions, axis, options);
                    Softmax.LogSumExp<T>(logits, sum, dimensions, axis, options);
                    string context = $"{variant}, length {length}, only {kept}, column {isColumn}";
                    AssertAll(1, [probabilities[kept]], context);
                    AssertAll(0, [logarithms[kept]], context);
                    AssertAll(Element.ToDouble(logits[kept]), sum, context);
                }
            }
            Softmax.Compute<T>(logits, probabilities, length, new() { RowLengths = new[] { 1 }, Kernel = kernel });
            Softmax.LogSoftmax<T>(logits, logarithms, length, new() { RowLengths = new[] { 1 }, Kernel = kernel });
            AssertAll(1, [probabilities[0]], $"{variant}, {length} of which one takes part");
            AssertAll(0, [logarithms[0]], $"{variant}, {length} of which one takes part");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAboveOneInPeakedRows(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        foreach (int length in s_lengths)
        {
            int rows = Math.Max(1, 2000 / length);
            foreach (double shift in s_shifts)
            {
                // One logit a row stands out by 0 to 40; in long rows it comes late, some 20 above the first block's largest, so that sums were begun
                // elsewhere.
                double[] row = [.. Element.ToDoubles<T>(SoftmaxCases.Logits<T>(rows * length, 1, length)).Select(x => x + shift)];
                for (int r = 0; r < rows; r++)
                    row[r * length + (length - 1) * (r % 3 + 1) / 3] += length > 5000 ? 20 : 40.0 * r / rows;
                T[] logits = Element.From<T>(row);
                foreach (bool isColumn in new[] { false, true })
                {
                    int[] dimensions = isColumn ? [length, rows] : [rows, length];
                    CheckNothingAbove(logits, dimensions, isColumn ? 0 : 1, kernel, $"{variant}, length {length}, shift {shift}, columns {isColumn}");
                }
            }
        }
    }

    private static void CheckNothingAbove(T[] logits, int[] dimensions, int axis, KernelOptions kernel, string context)
    {
        T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length];
        Softmax.Compute<T>(logits, probabilities, dimensions, axis, new() { Kernel = kernel });
        Softmax.LogSoftmax<T>(logits, logarithms, dimensions, axis, new() { Kernel = kernel });
        double largest = Element.ToDoubles<T>(probabilities).Max(), largestLogarithm = Element.ToDoubles<T>(logarithms).Max();
        Assert.True(largest <= 1, $"{context}: a probability of 1 + {largest - 1:g3}");
        Assert.True(largestLogarithm <= 0, $"{context}: a log-probability of {largestLogarithm:g3}");
    }

    private static void AssertAll(double expected, ReadOnlySpan<T> actual, string context)
    {
        for (int i = 0; i < actual.Length; i++)
            Assert.True(Element.ToDouble(actual[i]) == expected, $"{context}: element {i} is {Element.ToDouble(actual[i]):R}, not {expected}");
    }
}

public sealed class SoftmaxUnityTestsF32 : SoftmaxUnityTests<float>;

public sealed class SoftmaxUnityTestsF64 : SoftmaxUnityTests<double>;

public sealed class SoftmaxUnityTestsF16 : SoftmaxUnityTests<Half>;

public sealed class SoftmaxUnityTestsBF16 : SoftmaxUnityTests<BrainFloat16>;
