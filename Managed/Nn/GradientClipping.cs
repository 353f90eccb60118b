using Kernels.Cpu.Primitives;

namespace Kernels.Nn;

/// <summary>Keeps gradients from exploding.</summary>
public static class GradientClipping
{
    /// <summary>
    /// Scales all gradients down together so that their Euclidean norm does not exceed a limit, but for one rounding of each; returns the norm before. The
    /// factor is kept in double: it may be too small for a float. Gradients with NaN or infinity are left as they are, and the norm says so. A parameter that
    /// is listed twice counts once.
    /// </summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="limit">The largest norm, above 0; infinity only measures.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is no number above 0.</exception>
    public static double ByNorm(IEnumerable<Parameter> parameters, double limit)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(limit > 0))
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "a number above 0 is needed");
        Parameter[] all = [.. parameters.Distinct()];
        double squares = 0;
        foreach (Parameter parameter in all)
            squares = ParameterSteps.AddSquares(squares, parameter.Gradients);
        double norm = Math.Sqrt(squares);
        if (!(norm > limit) || double.IsInfinity(norm))
            return norm;
        double factor = limit / norm;
        foreach (Parameter parameter in all)
            ParameterSteps.Scale(parameter.Gradients, factor);
        return norm;
    }
}
