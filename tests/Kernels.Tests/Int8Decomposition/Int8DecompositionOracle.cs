namespace Kernels.Tests;

/// <summary>
/// The definition, as simply as it can be written: integers in 64 bits, everything else in double, except where the definition is in float: largest magnitudes
/// and the factor 127 / s, which decide integers. These are the steps that bitsandbytes documents for LLM.int8(), with rows or united columns of outliers.
/// </summary>
internal static class Int8DecompositionOracle
{
    private const double Roundoff = 1.0 / (1 << 24);

    // Of an integer sum: its conversion, s_a / 127, their product, the sum with the outliers, s_w / 127, the product with it, the sum with the bias. Where
    // multiply-adds are fused, the two products are not rounded.
    private const int IntegerRoundings = 7;

    // Of an outlier's term beside the additions of the outliers' own sum: its product, and the last four of those above.
    private const int OutlierRoundings = 5;

    // n roundings, one after another, come to at most n u / (1 - n u).
    private static double Roundings(int count) => count * Roundoff / (1 - count * Roundoff);

    /// <summary>Values and largest magnitude of one row.</summary>
    public static (sbyte[] Values, float AbsMax) Quantize(double[] row, float threshold)
    {
        float limit = threshold == 0 ? float.PositiveInfinity : threshold;
        float absMax = (float)row.Select(Math.Abs).Where(x => x < limit).DefaultIfEmpty(0).Max();
        // Numbers whose factor exceeds float are raised by 2^64 first.
        double raise = absMax < Math.ScaleB(1, -120) ? Math.ScaleB(1, 64) : 1;
        float factor = absMax == 0 ? 0 : 127 / (float)(absMax * raise);
        return ([.. row.Select(x => Math.Abs(x) < limit ? (sbyte)MathF.Round((float)(x * raise) * factor) : (sbyte)0)], absMax);
    }

    /// <summary>products[m, n] = left[m, k] right[n, k]^T in 64 bits.</summary>
    public static long[] Multiply(sbyte[] left, sbyte[] right, int inputs)
    {
        int rows = left.Length / inputs, outputs = right.Length / inputs;
        var products = new long[rows * outputs];
        Parallel.For(0, rows, row =>
        {
            for (int output = 0; output < outputs; output++)
            {
                long sum = 0;
                for (int input = 0; input < inputs; input++)
                    sum += left[row * inputs + input] * right[output * inputs + input];
                products[row * outputs + output] = sum;
            }
        });
        return products;
    }

    /// <summary>Checks a decomposed product element by element against the definition, within the roundings that are promised.</summary>
    public static void Check<T>(ReadOnlySpan<T> activations, Int8Weights weights, float threshold, OutlierScope scope, float[]? bias, ReadOnlySpan<T> actual,
        string context)
        where T : unmanaged
    {
        int inputs = weights.InputCount, outputs = weights.OutputCount, rows = activations.Length / inputs;
        double[] a = Element.ToDoubles(activations), results = Element.ToDoubles(actual);
        var q = new sbyte[outputs * inputs];
        weights.CopyValuesTo(q);
        float[] absMax = Int8DecompositionCases.AbsMaxOf(weights);
        float limit = threshold == 0 ? float.PositiveInfinity : threshold;
        bool[] united = [.. Enumerable.Range(0, inputs).Select(input => Enumerable.Range(0, rows).Any(row => !(Math.Abs(a[row * inputs + input]) < limit)))];
        for (int row = 0; row < rows; row++)
        {
            double[] x = a[(row * inputs)..((row + 1) * inputs)];
            (sbyte[] values, float rowMax) = Quantize(x, threshold);
            bool[] isFloat = [.. x.Select((value, input) => scope == OutlierScope.BatchColumns ? united[input] : !(Math.Abs(value) < limit))];
            for (int output = 0; output < outputs; output++)
            {
                long product = 0;
                double outliers = 0, magnitude = 0, b = bias?[output] ?? 0;
                int count = 0;
                for (int input = 0; input < inputs; input++)
                {
                    int weight = q[output * inputs + input];
                    if (!isFloat[input])
                    {
                        product += values[input] * weight;
                        continue;
                    }
                    outliers += x[input] * weight * absMax[output] / 127;
                    magnitude += Math.Abs(x[input] * weight * absMax[output] / 127);
                    count++;
                }
                double integers = (double)product * rowMax * absMax[output] / (127.0 * 127.0), expected = integers + outliers + b;
                double inFloat = Roundings(IntegerRoundings) * Math.Abs(integers) + Roundings(count + OutlierRoundings) * magnitude + Roundings(1)
                    * Math.Abs(b);
                double bound = inFloat + Element.StorageRoundoff<T>() * (Math.Abs(expected) + inFloat) + Element.SmallestDenormal<T>();
                double error = Math.Abs(results[row * outputs + output] - expected);
                Assert.True(error <= bound, $"{context}, row {row}, output {output}: {results[row * outputs + output]} instead of {expected}, off by " +
                    $"{error}, allowed {bound}");
            }
        }
    }
}
