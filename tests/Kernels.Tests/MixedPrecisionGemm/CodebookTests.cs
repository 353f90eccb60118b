using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>The numbers of nf4 and fp4, rounding to them, and products by table.</summary>
public sealed class CodebookTests
{
    [Fact]
    public void NormalFloatsAreTheQuantilesOfTheirPaper()
    {
        // QLoRA, appendix E, as bitsandbytes computes it: quantiles at equal distances from this probability to one half, 8 of them above 0, 7 below, over the
        // largest.
        const double outermost = 0.9677083;
        double[] above = [.. Enumerable.Range(0, 8).Select(i => Quantile(outermost + (0.5 - outermost) * i / 8))];
        double[] below = [.. Enumerable.Range(0, 7).Select(i => -Quantile(outermost + (0.5 - outermost) * i / 7))];
        double[] expected = [.. above.Append(0).Concat(below).Order().Select(number => number / above[0])];
        ReadOnlySpan<float> numbers = Codebook.Of(QuantizedType.Nf4);
        for (int i = 0; i < numbers.Length; i++)
            Assert.Equal(expected[i], numbers[i], 1e-6);
    }

    // The inverse of the normal distribution by bisection of its integral (Simpson's rule).
    private static double Quantile(double probability)
    {
        (double low, double high) = (0, 8);
        for (int step = 0; step < 60; step++)
        {
            double middle = (low + high) / 2;
            (low, high) = 0.5 + Area(middle) < probability ? (middle, high) : (low, middle);
        }
        return low;

        static double Area(double end)
        {
            const int intervals = 400;
            double width = end / intervals, sum = 0;
            for (int i = 0; i <= intervals; i++)
                sum += Math.Exp(-0.5 * i * width * i * width) * (i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2);
            return sum * width / 3 / Math.Sqrt(2 * Math.PI);
        }
    }

    [Fact]
    public void SmallFloatsAreSignExponentAndFractionOverTwelve()
    {
        // 1, 2 and 1 bits with the largest, 12, as 1: exponents 3 and 2 hold 8, 12 and 4, 6 (codes 2 to 5), exponent 1 holds 2, 3, and 1/16 is the number next
        // to 0.
        double[] positive = [0, 0.0625, 8, 12, 4, 6, 2, 3];
        ReadOnlySpan<float> numbers = Codebook.Of(QuantizedType.Fp4);
        for (int i = 0; i < numbers.Length; i++)
            Assert.Equal((i < 8 ? 1 : -1) * positive[i % 8] / 12, numbers[i], 1e-7);
    }

    [Fact]
    public void EveryWeightBecomesTheNearestNumber()
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Codebooks)
        {
            const int outputs = 70, inputs = 128, block = 64;
            float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 7), back = new float[weights.Length];
            QuantizedWeights packed = QuantizedWeights.Pack(weights, outputs, inputs, new(type, block, ScaleType.Float32));
            packed.Dequantize(back);
            float[] numbers = Codebook.Of(type).ToArray();
            for (int start = 0; start < weights.Length; start += block)
            {
                double largest = weights.AsSpan(start, block).ToArray().Max(Math.Abs);
                for (int i = start; i < start + block; i++)
                {
                    double nearest = numbers.Min(number => Math.Abs(number * largest - weights[i]));
                    Assert.InRange(Math.Abs(back[i] - weights[i]), 0, nearest * (1 + 1e-5) + 1e-6 * largest);
                }
            }
            // Half a byte for a weight and four bytes for 64 of them; 70 outputs stand in two panels of 64.
            Assert.Equal(128 * inputs / 2 + 128 * inputs / block * sizeof(float), packed.ByteCount);
        }
    }
}

/// <summary>Products with codebooks on every variant.</summary>
public abstract class CodebookProductTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<T>(new(QuantizedType.Nf4));

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AgreeWithTheOracle(string variant)
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Codebooks)
        {
            KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, type);
            foreach ((int rows, int outputs, int inputs, int block) in new[] { (1, 1, 1, 1), (1, 70, 192, 64), (7, 65, 128, 64), (9, 33, 100, 50),
                (2, 130, 320, 160) })
            {
                foreach (ScaleType scaleType in Enum.GetValues<ScaleType>())
                {
                    QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(type, block, scaleType));
                    T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * inputs, rows);
                    T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Exact, kernel);
                    MixedPrecisionGemmOracle.Of<T>(activations, weights, GemmArithmetic.Exact)
                        .Check<T>(actual, $"{variant}, {weights.Format}, {rows} x {outputs} x {inputs}");
                }
            }
        }
    }
}

public sealed class CodebookProductTestsF32 : CodebookProductTests<float>;

public sealed class CodebookProductTestsF16 : CodebookProductTests<Half>;

public sealed class CodebookProductTestsBF16 : CodebookProductTests<BrainFloat16>;
