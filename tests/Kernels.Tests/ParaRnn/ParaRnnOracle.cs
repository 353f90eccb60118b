namespace Kernels.Tests;

/// <summary>One step of one channel, in double and from the definition.</summary>
internal delegate double[] OracleStep(double[] gates, double[] weights, double[] state);

/// <summary>
/// The definition of the recurrences and their gradients: plain loops in double; derivatives of a step by differences, so that no formula is shared with the
/// library.
/// </summary>
internal static class ParaRnnOracle
{
    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    public static double[] Gru(double[] x, double[] a, double[] h)
    {
        double z = Sigmoid(a[0] * h[0] + x[0]), r = Sigmoid(a[1] * h[0] + x[1]), c = Math.Tanh(a[2] * (h[0] * r) + x[2]);
        return [(1 - z) * h[0] + z * c];
    }

    public static double[] Lstm(double[] x, double[] a, double[] s)
    {
        double f = Sigmoid(a[0] * s[1] + a[3] * s[0] + x[0]), u = Math.Tanh(a[2] * s[1] + x[2]), c = f * s[0] + (1 - f) * u;
        return [c, Sigmoid(a[1] * s[1] + a[4] * c + x[1]) * Math.Tanh(c)];
    }

    public static double[] MinGru(double[] x, double[] _, double[] h) => [(1 - Sigmoid(x[0])) * h[0] + Sigmoid(x[0]) * x[1]];

    public static double[] Elman(double[] x, double[] a, double[] h) => [Math.Tanh(a[0] * h[0] + x[0])];

    public static double[] Block(double[] x, double[] a, double[] s) =>
        [.. Enumerable.Range(0, s.Length).Select(i => Math.Tanh(x[i] + Enumerable.Range(0, s.Length).Sum(j => a[(i + j) % s.Length] * s[j] / 4)))];

    /// <summary>All states of one channel. Positions count in the direction of time.</summary>
    public static double[][] Forward(OracleStep step, double[][] gates, double[] weights, double[] start, Func<int, bool> isReset)
    {
        var states = new double[gates.Length][];
        double[] state = start;
        for (int t = 0; t < gates.Length; t++)
        {
            if (isReset(t))
                state = new double[start.Length];
            states[t] = state = step(gates[t], weights, state);
        }
        return states;
    }

    /// <summary>The reverse loop of one channel: gradients by gates, weights and start.</summary>
    public static (double[][] Gates, double[] Weights, double[] Start) Backward(
        OracleStep step, double[][] gates, double[] weights, double[] start, double[][] states, double[][] gradients, double[] finalGradient,
        Func<int, bool> isReset)
    {
        var byGates = new double[gates.Length][];
        var byWeights = new double[weights.Length];
        double[] carry = [.. finalGradient];
        for (int t = gates.Length - 1; t >= 0; t--)
        {
            double[] before = isReset(t) ? new double[start.Length] : t == 0 ? start : states[t - 1];
            double[] total = [.. gradients[t].Zip(carry, (a, b) => a + b)];
            int at = t;
            byGates[t] = Gradient(gates[t], x => step(x, weights, before), total);
            double[] ofWeights = Gradient(weights, w => step(gates[at], w, before), total);
            for (int i = 0; i < byWeights.Length; i++)
                byWeights[i] += ofWeights[i];
            carry = isReset(t) ? new double[start.Length] : Gradient(before, h => step(gates[at], weights, h), total);
        }
        return (byGates, byWeights, carry);
    }

    // J^T g by central differences of fourth order: error about h^4 / 30 times the fifth derivative, and 1e-16 / h.
    private static double[] Gradient(double[] at, Func<double[], double[]> function, double[] gradient)
    {
        const double h = 1e-3;
        var result = new double[at.Length];
        for (int i = 0; i < at.Length; i++)
        {
            double[] near = Difference(at, function, i, h), far = Difference(at, function, i, 2 * h);
            for (int k = 0; k < gradient.Length; k++)
                result[i] += gradient[k] * (4 * near[k] - far[k]) / 3;
        }
        return result;
    }

    private static double[] Difference(double[] at, Func<double[], double[]> function, int index, double h)
    {
        double[] above = [.. at], below = [.. at];
        above[index] += h;
        below[index] -= h;
        return [.. function(above).Zip(function(below), (a, b) => (a - b) / (2 * h))];
    }
}
