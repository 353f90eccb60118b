using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>The product in double, as simply as it can be written, from the dequantised weights.</summary>
internal sealed class MixedPrecisionGemmOracle
{
    // What the page promises of sum |a w|, whatever the count of roundings below allows.
    private const double LargestTolerance = 1e-6;

    private const double Unit = 1.0 / (1 << 24);

    private readonly double[] _expected;
    private readonly double[] _magnitude;

    private readonly double _tolerance;

    private MixedPrecisionGemmOracle(double[] expected, double[] magnitude, double tolerance)
    {
        _expected = expected;
        _magnitude = magnitude;
        _tolerance = tolerance;
    }

    /// <summary>
    /// Roundings that a term a w passes, relative to sum |a w|. Exact: L additions of its segment, S of the segments, and one each of the weight as dequantised (the oracle's own),
    /// the product and the scaling where these are not fused, and the bias. In eight bits the sum of a segment is exact: S additions, the weight as dequantised, the
    /// product of both scales, its product with the sum, one more where that is not fused, and the bias.
    /// </summary>
    private static double Tolerance(QuantizedWeights weights, GemmArithmetic arithmetic)
    {
        const int besideExact = 4, besideInt8 = 5;
        int segment = Math.Min(weights.Format.GroupSizeOf(weights.InputCount), QuantizedWeightsLayout.LargestSegment);
        int segments = (weights.InputCount + segment - 1) / segment;
        int roundings = arithmetic == GemmArithmetic.Exact ? segment + segments + besideExact : segments + besideInt8;
        return Math.Min(roundings * Unit, LargestTolerance);
    }

    /// <param name="activations">[m, k], as stored.</param>
    /// <param name="weights">W.</param>
    /// <param name="arithmetic">In eight-bit arithmetic the activations are rounded first, by the rule that the options document.</param>
    /// <param name="bias">[n] or empty.</param>
    public static MixedPrecisionGemmOracle Of<T>(ReadOnlySpan<T> activations, QuantizedWeights weights, GemmArithmetic arithmetic, float[]? bias = null) where T : unmanaged
    {
        int inputs = weights.InputCount, outputs = weights.OutputCount, rows = activations.Length / inputs;
        var dequantised = new float[outputs * inputs];
        weights.Dequantize(dequantised);
        double[] a = Element.ToDoubles(activations), expected = new double[rows * outputs], magnitude = new double[rows * outputs];
        if (arithmetic == GemmArithmetic.Int8Activations)
            RoundToEightBits(a, inputs, weights.Format.GroupSizeOf(inputs));
        Parallel.For(0, rows * outputs, i =>
        {
            (int row, int output) = Math.DivRem(i, outputs);
            double sum = bias?[output] ?? 0, absolute = Math.Abs(sum);
            for (int input = 0; input < inputs; input++)
            {
                double product = a[row * inputs + input] * dequantised[output * inputs + input];
                sum += product;
                absolute += Math.Abs(product);
            }
            (expected[i], magnitude[i]) = (sum, absolute);
        });
        return new MixedPrecisionGemmOracle(expected, magnitude, Tolerance(weights, arithmetic));
    }

    public ReadOnlySpan<double> Expected => _expected;

    /// <summary>Elementwise within the bound of sum |a w| (and one rounding of the output's type); the mean within MARLIN's 1e-3; the largest within 1e-5 of the largest result.</summary>
    public void Check<T>(ReadOnlySpan<T> actual, string context) where T : unmanaged
    {
        double errors = 0, results = 0, largestError = 0, largestResult = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(Element.ToDouble(actual[i]) - _expected[i]);
            double bound = _tolerance * _magnitude[i] + Element.StorageRoundoff<T>() * Math.Abs(_expected[i]) * (1 + _tolerance) + Element.SmallestDenormal<T>();
            Assert.True(error <= bound, $"{context}: element {i} is {actual[i]}, expected {_expected[i]:R} within {bound:R}");
            (errors, results) = (errors + error, results + Math.Abs(_expected[i]));
            (largestError, largestResult) = (Math.Max(largestError, error), Math.Max(largestResult, Math.Abs(_expected[i])));
        }
        Assert.True(errors <= (1e-3 + Element.StorageRoundoff<T>()) * results, $"{context}: mean relative error {errors / results}");
        Assert.True(largestError <= (1e-5 + Element.StorageRoundoff<T>()) * largestResult, $"{context}: largest error {largestError / largestResult} of the largest result");
    }

    private static void RoundToEightBits(double[] activations, int inputs, int groupSize)
    {
        for (int row = 0; row < activations.Length; row += inputs)
        {
            for (int group = 0; group < inputs; group += groupSize)
            {
                for (int segment = 0; segment < groupSize; segment += QuantizedWeightsLayout.LargestSegment)
                    Round(activations.AsSpan(row + group + segment, Math.Min(QuantizedWeightsLayout.LargestSegment, groupSize - segment)));
            }
        }
    }

    // In float, as the kernels do it, since a tie may fall either way otherwise.
    private static void Round(Span<double> segment)
    {
        float largest = 0;
        foreach (double value in segment)
            largest = Math.Max(largest, Math.Abs((float)value));
        float scale = largest / 127, reciprocal = 1 / scale;
        foreach (ref double value in segment)
            value = scale == 0 ? 0 : (double)scale * MathF.Round((float)value * reciprocal);
    }
}
