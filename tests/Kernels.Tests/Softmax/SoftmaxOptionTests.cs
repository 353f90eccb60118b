namespace Kernels.Tests;

/// <summary>Scale, soft cap, masks, lengths, causal rows and axes against a direct transcription of their definitions.</summary>
public abstract class SoftmaxOptionTests<T> where T : unmanaged
{
    private const int Rows = 12, Length = 75;

    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    // tanh, a division and a product, each within a few roundings of a logit no larger than the cap.
    private static double CapError(double cap) => cap == 0 ? 0 : 6 * Element.ComputeRoundoff<T>() * cap;

    private static double[] Staged(IEnumerable<double> logits, double scale, double cap, Func<int, double> mask, Func<int, bool> takesPart) =>
    [
        .. logits.Select((x, i) =>
        {
            double z = Element.RoundToCompute<T>(x * Element.RoundToCompute<T>(scale));
            z = cap > 0 ? cap * Math.Tanh(z / cap) : z;
            return takesPart(i) ? Element.RoundToCompute<T>(z + mask(i)) : double.NegativeInfinity;
        }),
    ];

    private static void Check(string context, double[] staged, ReadOnlySpan<T> probabilities, ReadOnlySpan<T> logProbabilities, T logSumExp, double logitError,
        bool safe)
    {
        SoftmaxOracle.Row expected = SoftmaxOracle.Of(staged, safe, typeof(T) == typeof(double));
        SoftmaxAssert.Probabilities(expected.Probabilities, probabilities, context, logitError);
        SoftmaxAssert.LogProbabilities(expected.LogProbabilities, logProbabilities, context, logitError);
        SoftmaxAssert.Logarithm(expected.LogSumExp, logSumExp, staged.DefaultIfEmpty().Max(), context, logitError);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ScaleCapAndMasks(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] logits = SoftmaxCases.Logits<T>(Rows * Length, 8, 1), fullMask = SoftmaxCases.Logits<T>(Rows * Length, 3, 2);
        bool[] fullBoolean = [.. Enumerable.Range(0, Rows * Length).Select(i => i * 7919 % 5 != 0)];
        fullMask[3] = Element.FromDouble<T>(double.NegativeInfinity);
        // A masked-out NaN must not leak, and a row may be masked out as a whole.
        int masked = Array.IndexOf(fullBoolean, false);
        logits[masked] = Element.FromDouble<T>(double.NaN);
        Array.Fill(fullBoolean, false, 5 * Length, Length);
        foreach ((double scale, double cap, int maskLength, int booleanLength, bool safe) in
            from scale in new[] { 1, 0.125, -2 }
            from cap in new double[] { 0, 30 }
            from m in new[] { 0, Length, Rows * Length }
            from b in new[] { Length,
                Rows * Length }
            from s in new[] { false, true }
            select (scale, cap, m, b, s))
        {
            // One row of the boolean mask that still covers the NaN.
            bool[] boolean = booleanLength == Length ? [.. Enumerable.Range(0, Length).Select(i => i != masked)] : fullBoolean;
            var options = new SoftmaxOptions<T>
            {
                Scale = scale,
                SoftCap = cap,
                AdditiveMask = fullMask.AsSpan(0, maskLength),
                BooleanMask = boolean,
                Safe = safe,
                Kernel = kernel
            };
            T[] probabilities = new T[Rows * Length], logarithms = new T[Rows * Length], sums = new T[Rows];
            Softmax.Compute<T>(logits, probabilities, Length, options);
            Softmax.LogSoftmax<T>(logits, logarithms, Length, options);
            Softmax.LogSumExp<T>(logits, sums, Length, options);
            for (int row = 0; row < Rows; row++)
            {
                int start = row * Length;
                double[] staged = Staged(
                    Element.ToDoubles<T>(logits.AsSpan(start, Length)), scale, cap,
                    i => maskLength == 0 ? 0 : Element.ToDouble(fullMask[(maskLength == Length ? 0 : start) + i]), i =>
                        boolean[(booleanLength == Length ? 0 : start) + i]);
                string context = $"{variant}, scale {scale}, cap {cap}, mask {maskLength}, boolean mask {booleanLength}, row {row}";
                // A capped logit that is then added to a mask may round differently: one more roundoff of the sum.
                double error = CapError(cap) + (cap > 0 && maskLength > 0 ? 64 * Element.ComputeRoundoff<T>() : 0);
                Check(context, staged, probabilities.AsSpan(start, Length), logarithms.AsSpan(start, Length), sums[row], error, safe);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void LengthsAndCausalRows(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        T[] logits = SoftmaxCases.Logits<T>(Rows * Length, 5, 3);
        int[] lengths = [.. Enumerable.Range(0, Rows).Select(row => row * 7 % (Length + 1))];
        lengths[1] = Length;
        foreach ((bool useLengths, bool causal, int queries, bool safe) in new[] { (true, false, 0, false), (true, false, 0, true), (false, true, 0, true),
            (false, true, 4, false), (true, true, 3, true), (false, true, 1, false) })
        {
            T[] hidden = [.. logits], probabilities = new T[Rows * Length], logarithms = new T[Rows * Length], sums = new T[Rows];
            int[] visible = [.. Enumerable.Range(0, Rows).Select(row =>
            {
                int group = queries == 0 ? Rows : queries, seen = causal ? row % group + 1 + Length - group : Length;
                return Math.Clamp(Math.Min(seen, useLengths ? lengths[row] : Length), 0, Length);
            })];
            for (int i = 0; i < hidden.Length; i++)
                hidden[i] = i % Length < visible[i / Length] ? hidden[i] : Element.FromDouble<T>(double.NaN);
            var options = new SoftmaxOptions<T>
            {
                RowLengths = useLengths ? lengths : [],
                Causal = causal,
                CausalQueryCount = queries,
                Safe = safe,
                Kernel = kernel
            };
            Softmax.Compute<T>(hidden, probabilities, Length, options);
            Softmax.LogSoftmax<T>(hidden, logarithms, Length, options);
            Softmax.LogSumExp<T>(hidden, sums, Length, options);
            for (int row = 0; row < Rows; row++)
            {
                int start = row * Length, last = visible[row];
                double[] staged = Staged(Element.ToDoubles<T>(logits.AsSpan(start, Length)), 1, 0, _ => 0, i => i < last);
                Check($"{variant}, causal {causal} {queries}, lengths {useLengths}, row {row}", staged, probabilities.AsSpan(start, Length),
                    logarithms.AsSpan(start, Length), sums[row], 0, safe);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void MoreKeysThanRowsAreSeenAsBottomRightAlignment(string variant)
    {
        // Two queries over five keys: the first sees four, the last all five.
        KernelOptions kernel = SoftmaxCases.Force(variant);
        var probabilities = new T[10];
        Softmax.Compute<T>(new T[10], probabilities, 5, new() { Causal = true, Kernel = kernel });
        double[] wanted = [0.25, 0.25, 0.25, 0.25, 0, 0.2, 0.2, 0.2, 0.2, 0.2];
        SoftmaxAssert.Probabilities<T>(wanted, probabilities, variant);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryAxis(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int[] dimensions in new int[][] { [5], [4, 9], [3, 5, 7], [2, 3, 4, 5], [2, 70, 33], [1, 40, 300], [3, 1, 17], [2, 0, 3], [65, 257] })
        {
            int count = dimensions.Aggregate(1, (product, d) => product * d);
            T[] logits = SoftmaxCases.Logits<T>(count, 40, count), mask = SoftmaxCases.Logits<T>(count, 2, 5);
            for (int i = 0; i < count; i += 11)
                logits[i] = Element.FromDouble<T>(i % 3 == 0 ? double.NegativeInfinity : i % 5 == 0 ? 600 : -3);
            for (int axis = -dimensions.Length; axis < dimensions.Length; axis++)
                CheckAxis(variant, kernel, dimensions, axis, logits, mask);
        }
    }

    private static void CheckAxis(string variant, KernelOptions kernel, int[] dimensions, int axis, T[] logits, T[] mask)
    {
        int split = axis < 0 ? axis + dimensions.Length : axis, length = dimensions[split];
        int inner = dimensions[(split + 1)..].Aggregate(1, (product, d) => product * d), outer = dimensions[..split].Aggregate(1, (product, d) => product * d);
        foreach (bool masked in new[] { false, true })
        {
            T[] probabilities = new T[logits.Length], logarithms = [.. logits], sums = new T[outer * inner];
            var options = new SoftmaxOptions<T> { AdditiveMask = masked ? mask : [], Kernel = kernel, Safe = true };
            Softmax.Compute<T>(logits, probabilities, dimensions, axis, options);
            Softmax.LogSoftmax<T>(logarithms, logarithms, dimensions, axis, options);
            Softmax.LogSumExp<T>(logits, sums, dimensions, axis, options);
            for (int row = 0; row < outer * inner; row++)
            {
                int[] positions = [.. Enumerable.Range(0, length).Select(a => (row / inner * length + a) * inner + row % inner)];
                double[] staged = Staged(positions.Select(p => Element.ToDouble(logits[p])), 1, 0, i => masked ? Element.ToDouble(mask[positions[i]]) : 0, _ =>
                    true);
                T[] rowProbabilities = [.. positions.Select(p => probabilities[p])], rowLogarithms = [.. positions.Select(p => logarithms[p])];
                Check($"{variant}, [{string.Join(',', dimensions)}], axis {axis}, row {row}", staged, rowProbabilities, rowLogarithms, sums[row], 0,
                    safe: true);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void TheErrorOfColumnsDoesNotGrowWithTheirLength(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in new[] { 65, 1000, 100_000 })
        {
            T[] logits = SoftmaxCases.Logits<T>(2 * length, 1, length);
            // All terms of the second column are equal, and so are their errors.
            for (int i = 1; i < logits.Length; i += 2)
                logits[i] = Element.FromDouble<T>(0.1);
            CheckAxis(variant, kernel, [length, 2], 0, logits, new T[logits.Length]);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ColumnsWithSpecialValues(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        const double inf = double.PositiveInfinity, nan = double.NaN;
        double[][] columns = [[-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 1], [nan, 0, 1], [0, 1, nan], [nan, -inf, -inf], [-inf, nan, -inf], [inf, nan, 0],
            [1, 2, 3]];
        foreach (bool safe in new[] { false, true })
        {
            T[] logits = Element.From<T>(Enumerable.Range(0, 3).SelectMany(a => columns.Select(column => column[a])));
            T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length], sums = new T[columns.Length];
            var options = new SoftmaxOptions<T> { Kernel = kernel, Safe = safe };
            Softmax.Compute<T>(logits, probabilities, [3, columns.Length], 0, options);
            Softmax.LogSoftmax<T>(logits, logarithms, [3, columns.Length], 0, options);
            Softmax.LogSumExp<T>(logits, sums, [3, columns.Length], 0, options);
            for (int c = 0; c < columns.Length; c++)
            {
                int[] positions = [c, c + columns.Length, c + 2 * columns.Length];
                T[] p = [.. positions.Select(i => probabilities[i])], l = [.. positions.Select(i => logarithms[i])];
                Check($"{variant}, column {c}, safe {safe}", columns[c], p, l, sums[c], 0, safe);
            }
        }
    }
}

public sealed class SoftmaxOptionTestsF32 : SoftmaxOptionTests<float>;

public sealed class SoftmaxOptionTestsF64 : SoftmaxOptionTests<double>;

public sealed class SoftmaxOptionTestsF16 : SoftmaxOptionTests<Half>;

public sealed class SoftmaxOptionTestsBF16 : SoftmaxOptionTests<BrainFloat16>;
