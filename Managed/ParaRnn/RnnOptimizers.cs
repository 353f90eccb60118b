using System.Numerics;

namespace Kernels;

/// <summary>Changes parameters by their gradients. What it remembers from step to step has names and is saved and loaded by <see cref="RnnCheckpoint"/>.</summary>
public abstract class RnnOptimizer
{
    private readonly string[] _memoryNames;
    private readonly (RnnParameter Parameter, float[][] Memory)[] _slots;

    private protected RnnOptimizer(IEnumerable<RnnParameter> parameters, double rate, params string[] memoryNames)
    {
        _memoryNames = memoryNames;
        _slots = [.. parameters.Select(parameter => (parameter, memoryNames.Select(_ => new float[parameter.Values.Length]).ToArray()))];
        Rate = rate;
    }

    /// <summary>The learning rate, which may change between steps.</summary>
    public double Rate { get; set; }

    /// <summary>Steps so far.</summary>
    public long StepCount { get; internal set; }

    /// <summary>Applies the gradients and sets them to zero.</summary>
    public void Step()
    {
        StepCount++;
        foreach ((RnnParameter parameter, float[][] memory) in _slots)
        {
            Apply(parameter.Values, parameter.Gradients, memory);
            Array.Clear(parameter.Gradients);
        }
    }

    /// <summary>Every array that it remembers: its name, <c>[parameter].[what]</c>, and its elements, in the shape of the parameter.</summary>
    internal IEnumerable<(string Name, RnnParameter Parameter, float[] Elements)> Memory =>
        _slots.SelectMany(slot => _memoryNames.Select((name, i) => ($"{slot.Parameter.Name}.{name}", slot.Parameter, slot.Memory[i])));

    private protected abstract void Apply(float[] values, float[] gradients, float[][] memory);
}

/// <summary>Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v.</summary>
/// <param name="parameters">What to train.</param>
/// <param name="rate">The learning rate.</param>
/// <param name="momentum">The share of the last step that goes on, 0 to below 1.</param>
public sealed class Sgd(IEnumerable<RnnParameter> parameters, double rate, double momentum = 0) : RnnOptimizer(parameters, rate, "velocity")
{
    private protected override void Apply(float[] values, float[] gradients, float[][] memory)
    {
        float share = (float)momentum, factor = (float)Rate;
        float[] velocity = memory[0];
        for (int i = 0; i < values.Length; i++)
        {
            velocity[i] = share * velocity[i] + gradients[i];
            values[i] -= factor * velocity[i];
        }
    }
}

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101): m and s are running means of gradient and squared gradient, corrected for their start from zero; w = w - rate (m / (sqrt(s) + epsilon) + decay w).
/// </summary>
/// <param name="parameters">What to train.</param>
/// <param name="rate">The learning rate.</param>
/// <param name="weightDecay">The decay.</param>
public sealed class AdamW(IEnumerable<RnnParameter> parameters, double rate, double weightDecay = 0.01) : RnnOptimizer(parameters, rate, "mean", "square")
{
    // The paper's values.
    private const double MeanShare = 0.9, SquareShare = 0.999, Epsilon = 1e-8;

    private protected override void Apply(float[] values, float[] gradients, float[][] memory)
    {
        float step = (float)(Rate / (1 - Math.Pow(MeanShare, StepCount))), correction = (float)(1 / (1 - Math.Pow(SquareShare, StepCount))), keep = (float)(1 - Rate * weightDecay);
        float[] mean = memory[0], square = memory[1];
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var gradient = new Vector<float>(gradients, i);
            var m = new Vector<float>(mean, i);
            var s = new Vector<float>(square, i);
            m += (float)(1 - MeanShare) * (gradient - m);
            s += (float)(1 - SquareShare) * (gradient * gradient - s);
            m.CopyTo(mean, i);
            s.CopyTo(square, i);
            (keep * new Vector<float>(values, i) - step * m / (Vector.SquareRoot(s * correction) + new Vector<float>((float)Epsilon))).CopyTo(values, i);
        }
        for (; i < values.Length; i++)
        {
            float gradient = gradients[i];
            mean[i] += (float)(1 - MeanShare) * (gradient - mean[i]);
            square[i] += (float)(1 - SquareShare) * (gradient * gradient - square[i]);
            values[i] = keep * values[i] - step * mean[i] / (MathF.Sqrt(square[i] * correction) + (float)Epsilon);
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
