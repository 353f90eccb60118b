namespace Kernels;

/// <summary>Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v.</summary>
/// <param name="parameters">What to train.</param>
/// <param name="rate">The learning rate.</param>
/// <param name="momentum">The share of the last step that goes on, 0 to below 1.</param>
public sealed class Sgd(IEnumerable<RnnParameter> parameters, double rate, double momentum = 0)
{
    private readonly (RnnParameter Parameter, float[] Velocity)[] _slots = [.. parameters.Select(p => (p, new float[p.Values.Length]))];

    /// <summary>The learning rate, which may change between steps.</summary>
    public double Rate { get; set; } = rate;

    /// <summary>Applies the gradients and sets them to zero.</summary>
    public void Step()
    {
        float share = (float)momentum, factor = (float)Rate;
        foreach ((RnnParameter parameter, float[] velocity) in _slots)
        {
            float[] values = parameter.Values, gradients = parameter.Gradients;
            for (int i = 0; i < values.Length; i++)
            {
                velocity[i] = share * velocity[i] + gradients[i];
                values[i] -= factor * velocity[i];
            }
            Array.Clear(gradients);
        }
    }
}

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101): m and s are running means of gradient and squared gradient, corrected for their start from zero; w = w - rate (m / (sqrt(s) + epsilon) + decay w).
/// </summary>
/// <param name="parameters">What to train.</param>
/// <param name="rate">The learning rate.</param>
/// <param name="weightDecay">The decay.</param>
public sealed class AdamW(IEnumerable<RnnParameter> parameters, double rate, double weightDecay = 0.01)
{
    // The paper's values.
    private const double MeanShare = 0.9, SquareShare = 0.999, Epsilon = 1e-8;

    private readonly (RnnParameter Parameter, float[] Mean, float[] Square)[] _slots = [.. parameters.Select(p => (p, new float[p.Values.Length], new float[p.Values.Length]))];
    private int _steps;

    /// <summary>The learning rate, which may change between steps.</summary>
    public double Rate { get; set; } = rate;

    /// <summary>Applies the gradients and sets them to zero.</summary>
    public void Step()
    {
        _steps++;
        double squareCorrection = 1 / (1 - Math.Pow(SquareShare, _steps));
        float step = (float)(Rate / (1 - Math.Pow(MeanShare, _steps))), correction = (float)squareCorrection, keep = (float)(1 - Rate * weightDecay);
        foreach ((RnnParameter parameter, float[] mean, float[] square) in _slots)
        {
            float[] values = parameter.Values, gradients = parameter.Gradients;
            for (int i = 0; i < values.Length; i++)
            {
                float gradient = gradients[i];
                mean[i] += (float)(1 - MeanShare) * (gradient - mean[i]);
                square[i] += (float)(1 - SquareShare) * (gradient * gradient - square[i]);
                values[i] = keep * values[i] - step * mean[i] / (MathF.Sqrt(square[i] * correction) + (float)Epsilon);
            }
            Array.Clear(gradients);
        }
    }
}

/// <summary>Keeps gradients from exploding.</summary>
public static class GradientClipping
{
    /// <summary>Scales all gradients down together so that their Euclidean norm does not exceed a limit; returns the norm before. Gradients with NaN or infinity are left as they are, and the norm says so.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="limit">The largest norm, above 0.</param>
    public static double ByNorm(IEnumerable<RnnParameter> parameters, double limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        RnnParameter[] all = [.. parameters];
        double squares = 0;
        foreach (RnnParameter parameter in all)
        {
            foreach (float gradient in parameter.Gradients)
                squares += (double)gradient * gradient;
        }
        double norm = Math.Sqrt(squares);
        if (!(norm > limit) || double.IsInfinity(norm))
            return norm;
        float factor = (float)(limit / norm);
        foreach (RnnParameter parameter in all)
        {
            foreach (ref float gradient in parameter.Gradients.AsSpan())
                gradient *= factor;
        }
        return norm;
    }
}
