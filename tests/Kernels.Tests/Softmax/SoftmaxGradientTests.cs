namespace Kernels.Tests;

/// <summary>Backward passes against the formulas in double and against finite differences of the forward pass.</summary>
public abstract class SoftmaxGradientTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AgreesWithTheFormula(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in new[] { 1, 2, 15, 16, 33, 64, 100, 257, 2049, 5000 })
        {
            foreach ((double scale, double cap) in new[] { (1.0, 0.0), (0.25, 0), (1, 20), (-0.5, 30) })
            {
                const int rows = 2;
                T[] logits = SoftmaxCases.Logits<T>(rows * length, 4, length), g = SoftmaxCases.Logits<T>(rows * length, 1, length + 1);
                T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length], gradient = new T[logits.Length],
                    logGradient = new T[logits.Length];
                Softmax.Compute<T>(logits, probabilities, length, new() { Scale = scale, SoftCap = cap, Kernel = kernel });
                Softmax.LogSoftmax<T>(logits, logarithms, length, new() { Scale = scale, SoftCap = cap, Kernel = kernel });
                var options = new SoftmaxGradientOptions<T> { Scale = scale, SoftCap = cap, Logits = cap > 0 ? logits : [], Kernel = kernel };
                Softmax.Backward<T>(g, probabilities, gradient, length, options);
                Softmax.LogBackward<T>(g, logarithms, logGradient, length, options);
                for (int row = 0; row < rows; row++)
                {
                    Range part = (row * length)..((row + 1) * length);
                    double[] gs = Element.ToDoubles<T>(g.AsSpan(part)), ps = Element.ToDoubles<T>(probabilities.AsSpan(part)),
                        ls = Element.ToDoubles<T>(logarithms.AsSpan(part));
                    double[] slopes = [.. Element.ToDoubles<T>(logits.AsSpan(part))
                        .Select(x => scale * (cap > 0 ? 1 - Math.Pow(Math.Tanh(scale * x / cap), 2) : 1))];
                    double dot = gs.Zip(ps, (a, b) => a * b).Sum(), sum = gs.Sum(), magnitude = gs.Sum(Math.Abs);
                    AssertClose([.. gs.Select((x, i) => (x - dot) * ps[i] * slopes[i])], [.. gs.Select((x, i) => (Math.Abs(x) + Math.Abs(dot) + 1) * ps[i])],
                        gradient.AsSpan(part), $"{variant}, length {length}, cap {cap}");
                    AssertClose([.. gs.Select((x, i) => (x - Math.Exp(ls[i]) * sum) * slopes[i])],
                        [.. gs.Select((x, i) => Math.Abs(x) + Math.Exp(ls[i]) * magnitude)], logGradient.AsSpan(part),
                        $"{variant}, length {length}, cap {cap}, log");
                }
            }
        }
    }

    // A dozen roundings, relative to the sizes of what is added and subtracted on the way.
    private static void AssertClose(double[] expected, double[] magnitudes, ReadOnlySpan<T> actual, string context)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            double bound = 12 * Element.ComputeRoundoff<T>() * magnitudes[i] + Element.StorageRoundoff<T>() * Math.Abs(expected[i])
                + Element.SmallestDenormal<T>();
            double actualValue = Element.ToDouble(actual[i]);
            Assert.True(Math.Abs(actualValue - expected[i]) <= bound, $"{context}: element {i} is {actualValue:R}, expected {expected[i]:R} within {bound:R}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void GradientMayTakeThePlaceOfAnyInput(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        const int length = 3000;
        T[] logits = SoftmaxCases.Logits<T>(length, 4, 1), g = SoftmaxCases.Logits<T>(length, 1, 2), p = new T[length], expected = new T[length];
        Softmax.Compute<T>(logits, p, length, new() { SoftCap = 10, Kernel = kernel });
        Softmax.Backward<T>(g, p, expected, length, new() { SoftCap = 10, Logits = logits, Kernel = kernel });
        for (int place = 0; place < 3; place++)
        {
            T[][] arrays = [[.. g], [.. p], [.. logits]];
            Softmax.Backward<T>(arrays[0], arrays[1], arrays[place], length, new() { SoftCap = 10, Logits = arrays[2], Kernel = kernel });
            Assert.Equal(Element.ToDoubles<T>(expected), Element.ToDoubles<T>(arrays[place]));
        }
    }
}

public sealed class SoftmaxGradientTestsF32 : SoftmaxGradientTests<float>;

public sealed class SoftmaxGradientTestsF64 : SoftmaxGradientTests<double>
{
    [Fact]
    public void AgreesWithFiniteDifferences()
    {
        const int length = 9;
        const double step = 1e-6, scale = 0.7, cap = 5;
        double[] logits = SoftmaxCases.Logits<double>(length, 2, 1), g = SoftmaxCases.Logits<double>(length, 1, 2), results = new double[length],
            gradient = new double[length];
        foreach (bool isLog in new[] { false, true })
        {
            double Loss(double[] x)
            {
                var y = new double[length];
                Forward(x, y, isLog);
                return y.Zip(g, (a, b) => a * b).Sum();
            }
            Forward(logits, results, isLog);
            var options = new SoftmaxGradientOptions<double> { Scale = scale, SoftCap = cap, Logits = logits };
            if (isLog)
                Softmax.LogBackward(g, results, gradient, length, options);
            else
                Softmax.Backward(g, results, gradient, length, options);
            for (int i = 0; i < length; i++)
            {
                double[] up = [.. logits], down = [.. logits];
                up[i] += step;
                down[i] -= step;
                // Central differences: error of second order in the step, plus rounding divided by it.
                Assert.Equal((Loss(up) - Loss(down)) / (2 * step), gradient[i], 1e-8);
            }
        }

        static void Forward(double[] x, double[] y, bool isLog)
        {
            var options = new SoftmaxOptions<double> { Scale = scale, SoftCap = cap };
            if (isLog)
                Softmax.LogSoftmax(x, y, length, options);
            else
                Softmax.Compute(x, y, length, options);
        }
    }
}

public sealed class SoftmaxGradientTestsF16 : SoftmaxGradientTests<Half>;

public sealed class SoftmaxGradientTestsBF16 : SoftmaxGradientTests<BrainFloat16>;
