namespace Kernels.Gpu.Tests;

/// <summary>The definition, in double precision: z is the scaled logit rounded to float, s the sum of exp(z - max).</summary>
internal static class SoftmaxGpuOracle
{
    public static double LogSumExp(ReadOnlySpan<float> row, float scale = 1)
    {
        double largest = double.NegativeInfinity;
        foreach (float x in row)
            largest = Math.Max(largest, x * scale);
        if (!double.IsFinite(largest))
            return largest;
        double sum = 0;
        foreach (float x in row)
            sum += Math.Exp((double)(x * scale) - largest);
        return largest + Math.Log(sum);
    }

    /// <summary>Probabilities or log-probabilities of a row of which only <paramref name="length"/> positions take part.</summary>
    public static double[] Row(ReadOnlySpan<float> row, bool isLog, float scale = 1, bool safe = false, int? length = null)
    {
        ReadOnlySpan<float> visible = row[..(length ?? row.Length)];
        double largest = double.NegativeInfinity, sum = 0;
        bool undefined = false;
        foreach (float x in visible)
        {
            undefined |= float.IsNaN(x * scale) || float.IsPositiveInfinity(x * scale);
            largest = Math.Max(largest, x * scale);
        }
        bool empty = double.IsNegativeInfinity(largest);
        foreach (float x in visible)
            sum += empty ? 0 : Math.Exp((double)(x * scale) - largest);
        var result = new double[row.Length];
        for (int i = 0; i < result.Length; i++)
        {
            double z = i < visible.Length && !empty ? (double)(visible[i] * scale) - largest : double.NegativeInfinity;
            double logarithm = z - (empty ? 0 : Math.Log(sum));
            double probability = double.IsNegativeInfinity(z) ? 0 : Math.Exp(z) / sum;
            result[i] = undefined || (empty && !safe) ? double.NaN : isLog ? logarithm : probability;
        }
        return result;
    }
}
