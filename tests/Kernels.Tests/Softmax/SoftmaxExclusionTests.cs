using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>
/// What takes no part has no influence: not a bit of any result tells which numbers, NaN and infinities among them, stand at excluded positions.
/// </summary>
public abstract class SoftmaxExclusionTests<T> where T : unmanaged
{
    private const int Rows = 4;

    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    // Short, beyond the scratch, and beyond a block.
    private static readonly int[] s_lengths = [3, 40, 5000];

    /// <summary>The given elements where a position takes part, elsewhere what must not matter.</summary>
    private static T[] Spoilt(T[] elements, bool[] takesPart)
    {
        double[] poison = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, Element.Largest<T>(), -7];
        return [.. elements.Select((x, i) => takesPart[i] ? x : Element.FromDouble<T>(poison[i % poison.Length]))];
    }

    private static bool[] TakesPart(int length, bool[] booleanMask, int[] lengths) =>
        [.. Enumerable.Range(0, Rows * length)
        .Select(i => (booleanMask.Length == 0 || booleanMask[i]) && (lengths.Length == 0 || i % length < lengths[i / length]))];

    private static IEnumerable<(bool[] BooleanMask, int[] Lengths)> Exclusions(int length)
    {
        // Every third position, and the whole of the last row.
        bool[] booleanMask = [.. Enumerable.Range(0, Rows * length).Select(i => i % 3 != 0 && i < (Rows - 1) * length)];
        int[] lengths = [length, length / 2, 1, 0];
        return [(booleanMask, []), ([], lengths), (booleanMask, lengths)];
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ForwardWithEveryOption(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in s_lengths)
        {
            T[] logits = SoftmaxCases.Logits<T>(Rows * length, 4, length), mask = SoftmaxCases.Logits<T>(Rows * length, 1, 2);
            foreach ((bool[] booleanMask, int[] lengths) in Exclusions(length))
            {
                bool[] takesPart = TakesPart(length, booleanMask, lengths);
                foreach ((double scale, double cap, bool hasMask, bool safe) in
                    from scale in new[] { 1, -0.5, 0 }
                    from cap in new double[] { 0, 5 }
                    from m in new[] { false, true }
                    from safe in new[] { false,
                        true }
                    select (scale, cap, m, safe))
                {
                    T[] Results(T[] x, T[] added)
                    {
                        var options = new SoftmaxOptions<T>
                        {
                            Scale = scale,
                            SoftCap = cap,
                            AdditiveMask = hasMask ? added : [],
                            BooleanMask = booleanMask,
                            RowLengths = lengths,
                            Safe = safe,
                            Kernel = kernel
                        };
                        T[] probabilities = new T[x.Length], logarithms = new T[x.Length], sums = new T[Rows], top = new T[2 * Rows];
                        Softmax.Compute<T>(x, probabilities, length, options);
                        Softmax.LogSoftmax<T>(x, logarithms, length, options);
                        Softmax.LogSumExp<T>(x, sums, length, options);
                        Softmax.TopK<T>(x, top, new int[2 * Rows], length, 2, options);
                        return [.. probabilities, .. logarithms, .. sums, .. top];
                    }
                    AssertSameBits(Results(logits, mask), Results(Spoilt(logits, takesPart), Spoilt(mask, takesPart)),
                        $"{variant}, length {length}, scale {scale}, cap {cap}, mask {hasMask}, safe {safe}");
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ForwardAlongAnotherAxis(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        const int length = 70, columns = 33;
        T[] logits = SoftmaxCases.Logits<T>(length * columns, 4, 1);
        // Every third position, and a whole column.
        bool[] takesPart = [.. Enumerable.Range(0, logits.Length).Select(i => i % 3 != 0 && i % columns != 7)];
        foreach ((double cap, bool safe) in new[] { (0.0, false), (5.0, true) })
        {
            T[] Results(T[] x)
            {
                var options = new SoftmaxOptions<T> { SoftCap = cap, BooleanMask = takesPart, Safe = safe, Kernel = kernel };
                T[] probabilities = new T[x.Length], logarithms = new T[x.Length], sums = new T[columns];
                Softmax.Compute<T>(x, probabilities, [length, columns], 0, options);
                Softmax.LogSoftmax<T>(x, logarithms, [length, columns], 0, options);
                Softmax.LogSumExp<T>(x, sums, [length, columns], 0, options);
                return [.. probabilities, .. logarithms, .. sums];
            }
            AssertSameBits(Results(logits), Results(Spoilt(logits, takesPart)), $"{variant}, cap {cap}, safe {safe}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void BackwardInBothForms(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in s_lengths)
        {
            T[] logits = SoftmaxCases.Logits<T>(Rows * length, 3, length), g = SoftmaxCases.Logits<T>(Rows * length, 1, 3);
            foreach ((bool[] booleanMask, int[] lengths) in Exclusions(length))
            {
                bool[] takesPart = TakesPart(length, booleanMask, lengths);
                foreach ((double scale, double cap, bool isLog) in from scale in new[] { 1, -0.5 }
                                                                   from cap in new double[] { 0,
                    5 }
                                                                   from isLog in new[] { false, true }
                                                                   select (scale, cap, isLog))
                {
                    string context = $"{variant}, length {length}, scale {scale}, cap {cap}, log {isLog}";
                    T[] clean = Gradient(logits, g), spoilt = Gradient(Spoilt(logits, takesPart), Spoilt(g, takesPart));
                    AssertSameBits(clean, spoilt, context);
                    for (int i = 0; i < clean.Length; i++)
                        Assert.True(takesPart[i] || Element.ToDouble(clean[i]) == 0,
                            $"{context}: the gradient at the excluded position {i} is {Element.ToDouble(clean[i])}");
                    Assert.Contains(clean, x => Element.ToDouble(x) != 0);

                    T[] Gradient(T[] x, T[] outputGradient)
                    {
                        T[] results = new T[x.Length], gradient = new T[x.Length];
                        var forward = new SoftmaxOptions<T>
                        {
                            Scale = scale,
                            SoftCap = cap,
                            BooleanMask = booleanMask,
                            RowLengths = lengths,
                            Safe = true,
                            Kernel = kernel
                        };
                        var backward = new SoftmaxGradientOptions<T> { Scale = scale, SoftCap = cap, Logits = cap > 0 ? x : [], Kernel = kernel };
                        if (isLog)
                        {
                            Softmax.LogSoftmax<T>(x, results, length, forward);
                            Softmax.LogBackward<T>(outputGradient, results, gradient, length, backward);
                        }
                        else
                        {
                            Softmax.Compute<T>(x, results, length, forward);
                            Softmax.Backward<T>(outputGradient, results, gradient, length, backward);
                        }
                        return gradient;
                    }
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NaNThatTookPartStillShows(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] nan = Element.From<T>([double.NaN, double.NaN, double.NaN]), half = Element.From<T>([0, 0.5, 0.5]), g = Element.From<T>([0, 1, double.NaN]),
            gradient = new T[3];
        Softmax.Backward<T>(half, nan, gradient, 3, new() { Kernel = kernel });
        Assert.All(gradient, x => Assert.True(double.IsNaN(Element.ToDouble(x))));
        Softmax.LogBackward<T>(half, nan, gradient, 3, new() { Kernel = kernel });
        Assert.All(gradient, x => Assert.True(double.IsNaN(Element.ToDouble(x))));
        Softmax.Backward<T>(g, half, gradient, 3, new() { Kernel = kernel });
        Assert.Equal([0, double.NaN, double.NaN], Element.ToDoubles<T>(gradient));
    }

    private static void AssertSameBits(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, string context)
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(expected), b = MemoryMarshal.AsBytes(actual);
        int common = a.CommonPrefixLength(b);
        Assert.True(common == a.Length && common == b.Length, $"{context}: byte {common} of {a.Length} and {b.Length} differs");
    }
}

public sealed class SoftmaxExclusionTestsF32 : SoftmaxExclusionTests<float>;

public sealed class SoftmaxExclusionTestsF64 : SoftmaxExclusionTests<double>;

public sealed class SoftmaxExclusionTestsF16 : SoftmaxExclusionTests<Half>;

public sealed class SoftmaxExclusionTestsBF16 : SoftmaxExclusionTests<BrainFloat16>;
