namespace Kernels.Tests;

/// <summary>The layer: forward is the product, gradients are those of the layer that the integers stand for.</summary>
public abstract class Int8LinearTests<T> where T : unmanaged
{
    // Sums in float of n terms are within n u of the sum of magnitudes; half of it is far beyond what roundings of either sign come to.
    private const double Roundoff = 1.0 / (1 << 24);

    [Fact]
    public void ForwardIsTheProduct()
    {
        const int rows = 5, outputs = 40, inputs = 60;
        T[] x = Int8DecompositionCases.Activations<T>(rows, inputs, 1), y = new T[rows * outputs];
        float[] bias = Int8DecompositionCases.Normal(outputs, 3);
        Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
        foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
        {
            new Int8Linear(weights, bias, threshold: 3, scope).Forward<T>(x, y);
            Int8DecompositionCases.AssertSameBits<T>(Int8DecompositionCases.Multiply<T>(x, weights, default, 3, scope, bias), y);
        }
    }

    public static TheoryData<string> Variants => Int8DecompositionCases.GradientVariants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void GradientsAreThoseOfTheDequantisedLayer(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant, threads: 2);
        // Around the tiles of 6, the panels of 32, the blocks of 128 inputs and 96 rows.
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 1), (5, 33, 130), (6, 6, 128), (7, 32, 31), (100, 65, 70) })
        {
            Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
            var w = new float[outputs * inputs];
            weights.Dequantize(w);
            T[] x = Int8DecompositionCases.Activations<T>(rows, inputs, 1),
                dy = Element.From<T>(Int8DecompositionCases.Normal(rows * outputs, 2).Select(v => (double)v)), dx = new T[x.Length];
            float[] dw = [.. w], db = [.. Enumerable.Repeat(7f, outputs)];
            var layer = new Int8Linear(weights);
            layer.Backward<T>(dy, x, dx, dw, db, kernel);
            double[] a = Element.ToDoubles<T>(x), g = Element.ToDoubles<T>(dy), actual = Element.ToDoubles<T>(dx);
            for (int i = 0; i < dx.Length; i++)
                Check(Enumerable.Range(0, outputs).Select(n => g[i / inputs * outputs + n] * w[n * inputs + i % inputs]), actual[i],
                    Element.StorageRoundoff<T>());
            for (int i = 0; i < dw.Length; i++)
                Check(Enumerable.Range(0, rows).Select(m => g[m * outputs + i / inputs] * a[m * inputs + i % inputs]), dw[i], 0);
            for (int i = 0; i < outputs; i++)
                Check(Enumerable.Range(0, rows).Select(m => g[m * outputs + i]), db[i], 0);
        }

        static void Check(IEnumerable<double> terms, double actual, double storage)
        {
            double[] all = [.. terms];
            double expected = all.Sum(), bound = (all.Length + 2) * Roundoff * all.Sum(Math.Abs) + storage * 1.01 * Math.Abs(expected)
                + Element.SmallestDenormal<T>();
            Assert.True(Math.Abs(actual - expected) <= bound, $"{actual} instead of {expected}, allowed {bound}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void GradientsDoNotDependOnThreads(string variant)
    {
        const int rows = 101, outputs = 50, inputs = 300;
        var layer = new Int8Linear(Int8DecompositionCases.Weights(outputs, inputs));
        T[] x = Int8DecompositionCases.Activations<T>(rows, inputs, 1),
            dy = Element.From<T>(Int8DecompositionCases.Normal(rows * outputs, 2).Select(v => (double)v));
        (T[] Dx, float[] Dw) alone = Run(1);
        foreach (int threads in new[] { 2, 3, 7 })
        {
            (T[] dx, float[] dw) = Run(threads);
            Int8DecompositionCases.AssertSameBits<T>(alone.Dx, dx);
            Int8DecompositionCases.AssertSameBits<float>(alone.Dw, dw);
        }

        (T[] Dx, float[] Dw) Run(int threads)
        {
            (T[] dx, float[] dw) = (new T[rows * inputs], new float[outputs * inputs]);
            layer.Backward<T>(dy, x, dx, dw, options: Int8DecompositionCases.Force<T>(variant, threads));
            return (dx, dw);
        }
    }
}

/// <summary>The gradients' variants are those that they run on.</summary>
public sealed class Int8GradientVariantTests
{
    [Theory]
    [InlineData("native", "scalar")]
    [InlineData("native", "avx512vnni")]
    [InlineData("cpu", "avxvnni")]
    public void WhatTheGradientsDoNotRunOnIsRefused(string backend, string implementation)
    {
        var layer = new Int8Linear(Int8DecompositionCases.Weights(4, 8));
        float[] gradient = new float[4], result = [.. Enumerable.Repeat(7f, 8)];
        string identity = $"int8_decomposition/f32_i8_f32/{backend}/{implementation}";
        ArgumentException refused = Assert.Throws<ArgumentException>(() =>
            layer.Backward<float>(gradient, default, result, options: new() { Variant = identity }));
        Assert.Equal("Variant", refused.ParamName);
        Assert.Contains("int8_decomposition.backward", refused.Message, StringComparison.Ordinal);
        Assert.All(result, value => Assert.Equal(7f, value));
    }
}

public sealed class Int8LinearTestsF32 : Int8LinearTests<float>;

public sealed class Int8LinearTestsF16 : Int8LinearTests<Half>;

public sealed class Int8LinearTestsBF16 : Int8LinearTests<BrainFloat16>;
