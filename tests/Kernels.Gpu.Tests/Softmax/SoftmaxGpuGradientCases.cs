using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Gradients against the definition in double, within the documented bound.</summary>
internal static class SoftmaxGpuGradientCases
{
    /// <summary>Results of a softmax in <typeparamref name="T"/>, every fifth of them of no part, and gradients by them.</summary>
    public static (T[] Gradient, T[] Result) Inputs<T>(bool isLog, int rowCount, int rowLength, Func<double, T> convert)
    {
        var random = new Random(rowCount * 1000 + rowLength);
        T[] gradient = new T[rowCount * rowLength], result = new T[gradient.Length];
        for (int row = 0; row < rowCount; row++)
        {
            double[] terms = [.. Enumerable.Range(0, rowLength).Select(i => i % 5 == 3 ? 0 : Math.Exp(6 * random.NextDouble()))];
            double sum = terms.Sum();
            for (int i = 0; i < rowLength; i++)
            {
                double p = terms[i] / sum;
                (gradient[row * rowLength + i], result[row * rowLength + i]) = (convert(random.NextDouble() * 8 - 4), convert(isLog ? Math.Log(p) : p));
            }
        }
        return (gradient, result);
    }

    /// <summary>Each element within the bound and, of 16-bit results, half of the last place: relative, and half of the smallest step.</summary>
    public static void Check(bool isLog, double[] g, double[] y, double[] actual, int rowLength, double scale,
        (double Relative, double Absolute) lastPlace = default)
    {
        const double bound = 1e-6;
        for (int start = 0; start < g.Length; start += rowLength)
        {
            double none = isLog ? double.NegativeInfinity : 0;
            int[] part = [.. Enumerable.Range(start, rowLength).Where(i => y[i] != none)];
            double sum = part.Sum(i => isLog ? g[i] : g[i] * y[i]), magnitude = part.Sum(i => Math.Abs(isLog ? g[i] : g[i] * y[i]));
            for (int i = start; i < start + rowLength; i++)
            {
                double expected = 0, allowed = 0;
                if (y[i] != none)
                {
                    expected = scale * (isLog ? g[i] - Math.Exp(y[i]) * sum : (g[i] - sum) * y[i]);
                    allowed = bound * Math.Abs(scale) * (isLog ? Math.Abs(g[i]) + Math.Exp(y[i]) * magnitude : y[i] * (Math.Abs(g[i]) + magnitude));
                }
                allowed += Math.Abs(expected) * lastPlace.Relative + lastPlace.Absolute;
                Assert.True(Math.Abs(actual[i] - expected) <= allowed, $"element {i}: {actual[i]} instead of {expected}, allowed {allowed}");
            }
        }
    }

    public static void Run(SoftmaxGpu softmax, bool isLog, int rowCount, int rowLength, double scale = 1)
    {
        (float[] g, float[] y) = Inputs(isLog, rowCount, rowLength, x => (float)x);
        var actual = new float[g.Length];
        var options = new SoftmaxGradientOptions<float> { Scale = scale };
        if (isLog)
            softmax.LogBackward<float>(g, y, actual, rowLength, options);
        else
            softmax.Backward<float>(g, y, actual, rowLength, options);
        Check(isLog, Doubles(g), Doubles(y), Doubles(actual), rowLength, scale);
    }

    public static double[] Doubles(float[] values) => Array.ConvertAll(values, x => (double)x);
}
