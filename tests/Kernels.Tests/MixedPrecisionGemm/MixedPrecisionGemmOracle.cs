using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>The product in double, as simply as it can be written, from the dequantised weights.</summary>
internal sealed class MixedPrecisionGemmOracle
{
    private const double Unit = 1.0 / (1 << 24);

    private readonly double[] _expected;
    private readonly double[] _bounds;

    private MixedPrecisionGemmOracle(double[] expected, double[] bounds) => (_expected, _bounds) = (expected, bounds);

    /// <param name="activations">[m, k], as stored.</param>
    /// <param name="weights">W.</param>
    /// <param name="arithmetic">In eight-bit arithmetic the activations are rounded first, by the rule that the options document.</param>
    /// <param name="bias">[n] or empty.</param>
    public static MixedPrecisionGemmOracle Of<T>(ReadOnlySpan<T> activations, QuantizedWeights weights, GemmArithmetic arithmetic, float[]? bias = null)
        where T : unmanaged
    {
        int inputs = weights.InputCount, outputs = weights.OutputCount, rows = activations.Length / inputs;
        var dequantised = new float[outputs * inputs];
        weights.Dequantize(dequantised);
        double[] a = Element.ToDoubles(activations), expected = new double[rows * outputs], bounds = new double[rows * outputs];
        if (arithmetic == GemmArithmetic.Int8Activations)
            RoundToEightBits(a, inputs, weights.Format.GroupSizeOf(inputs));
        int[] order = Order(weights);
        int group = weights.Format.GroupSizeOf(inputs);
        Parallel.For(0, rows * outputs, i =>
        {
            (int row, int output) = Math.DivRem(i, outputs);
            var sum = new RoundedSum(arithmetic);
            for (int first = 0; first < inputs; first += group)
            {
                int end = Math.Min(first + group, inputs);
                for (int segment = first; segment < end; segment += QuantizedWeightsLayout.LargestSegment)
                    sum.AddSegment(order.AsSpan(segment, Math.Min(QuantizedWeightsLayout.LargestSegment, end - segment)), a.AsSpan(row * inputs, inputs),
                        dequantised.AsSpan(output * inputs, inputs));
            }
            (expected[i], bounds[i]) = sum.Finish(bias?[output] ?? 0);
        });
        return new MixedPrecisionGemmOracle(expected, bounds);
    }

    // Inputs in the order in which they are summed.
    private static unsafe int[] Order(QuantizedWeights weights)
    {
        using PackedLease lease = weights.Acquire();
        return weights.HasInputOrder ? new ReadOnlySpan<int>(weights.InputOrder, weights.InputCount).ToArray() : [.. Enumerable.Range(0, weights.InputCount)];
    }

    /// <summary>
    /// One result and what its roundings may come to, both counted and followed. Counted: the number of roundings that a term a w passes, times u sum |a w|.
    /// Exact arithmetic: L additions of its segment, S of the segments, and one each of the weight as dequantised (the oracle's own), the product and the
    /// scaling where these are not fused, and the bias. In eight bits the sum of a segment is exact: S additions, the weight as dequantised, the product of
    /// both scales, its product with the sum, one more where that is not fused, and the bias. Followed: u times the sum of what is rounded, each partial sum in
    /// its turn; far smaller where terms cancel or grow, and no larger where they do not.
    /// </summary>
    private struct RoundedSum(GemmArithmetic arithmetic)
    {
        private const int BesideExact = 4, BesideInt8 = 5;

        private readonly bool _isExact = arithmetic == GemmArithmetic.Exact;
        private double _total, _magnitude, _rounded;
        private int _segments, _longest;

        public void AddSegment(ReadOnlySpan<int> order, ReadOnlySpan<double> a, ReadOnlySpan<float> w)
        {
            double sum = 0, partials = 0, magnitude = 0;
            foreach (int input in order)
            {
                double product = a[input] * w[input];
                sum += product;
                partials += Math.Abs(sum);
                magnitude += Math.Abs(product);
            }
            (_segments, _longest) = (_segments + 1, Math.Max(_longest, order.Length));
            (_total, _magnitude) = (_total + sum, _magnitude + magnitude);
            // Weights as dequantised; products and partial sums, the scaling; or both scales, their product with the sum, and where that is not fused one more.
            _rounded += magnitude + (_isExact ? magnitude + partials + Math.Abs(sum) : 3 * Math.Abs(sum)) + Math.Abs(_total);
        }

        /// <summary>The result with its bias, and the smaller of both bounds.</summary>
        public readonly (double Expected, double Bound) Finish(double bias)
        {
            double result = _total + bias, magnitude = _magnitude + Math.Abs(bias);
            double roundings = _isExact ? _longest + _segments + BesideExact : _segments + BesideInt8;
            double counted = roundings * Unit / (1 - roundings * Unit) * magnitude;
            // What is rounded is itself off by as much as is counted, each time.
            double followed = Unit * (_rounded + Math.Abs(result) + roundings * counted);
            return (result, Math.Min(counted, followed));
        }
    }

    public ReadOnlySpan<double> Expected => _expected;

    /// <summary>
    /// Elementwise within the bound (and one rounding of the output's type); the mean within MARLIN's 1e-3; the largest within 1e-5 of the largest result.
    /// </summary>
    public void Check<T>(ReadOnlySpan<T> actual, string context) where T : unmanaged
    {
        double errors = 0, results = 0, largestError = 0, largestResult = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(Element.ToDouble(actual[i]) - _expected[i]);
            double bound = _bounds[i] + Element.StorageRoundoff<T>() * (Math.Abs(_expected[i]) + _bounds[i]) + Element.SmallestDenormal<T>();
            Assert.True(error <= bound, $"{context}: element {i} is {actual[i]}, expected {_expected[i]:R} within {bound:R}");
            (errors, results) = (errors + error, results + Math.Abs(_expected[i]));
            (largestError, largestResult) = (Math.Max(largestError, error), Math.Max(largestResult, Math.Abs(_expected[i])));
        }
        Assert.True(errors <= (1e-3 + Element.StorageRoundoff<T>()) * results, $"{context}: mean relative error {errors / results}");
        Assert.True(largestError <= (1e-5 + Element.StorageRoundoff<T>()) * largestResult,
            $"{context}: largest error {largestError / largestResult} of the largest result");
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
