namespace Kernels;

/// <summary>How a recurrence is solved. All but <see cref="Newton"/> give the same bits.</summary>
public enum RnnSolver
{
    /// <summary>
    /// The fastest for the sizes at hand of <see cref="Sequential"/> and <see cref="MultipleShooting"/>, by measured break-evens; the report says why.
    /// </summary>
    Auto,

    /// <summary>Step after step, SIMD over channels, threads over sequences and channels.</summary>
    Sequential,

    /// <summary>
    /// Newton's method on all steps of a window at once, SIMD over time (ParaRNN, arXiv 2510.21450): iterations until update, residual and error bound are
    /// within the tolerance; where they do not get there, the sequence is finished step after step from the last exact state.
    /// </summary>
    Newton,

    /// <summary>
    /// Multiple shooting: sequences are cut into segments, which lie in SIMD lanes and are swept until the state at every cut is the same bits as the end of
    /// the segment before it. The result is that of <see cref="Sequential"/>, bit for bit; what has not met after the allowed sweeps is finished step after
    /// step.
    /// </summary>
    MultipleShooting,
}

/// <summary>The direction of time.</summary>
public enum RnnDirection
{
    /// <summary>From the first step to the last.</summary>
    Forward,

    /// <summary>From each sequence's last step to its first: the second half of a bidirectional layer.</summary>
    Reverse,
}

/// <summary>What a forward pass did.</summary>
/// <param name="Solver">The solver that ran, never <see cref="RnnSolver.Auto"/>.</param>
/// <param name="Reason">Why this solver, in a sentence.</param>
/// <param name="Converged"> True if the parallel solver alone gave the result: for shooting all cuts met, for Newton the last update, the residual and the
/// error bound are within the tolerance everywhere. Always true for the sequential solver. If false, the part that did not converge was computed step after
/// step, and the states are as good as sequential ones.
/// </param>
/// <param name="Iterations">Newton: the most iterations any window took.</param>
/// <param name="Sweeps">Shooting: how often segments were run; 1 means all cuts met after the run-in.</param>
/// <param name="Residual">Newton: the largest |f(h[t-1], x[t]) - h[t]| of the states it converged to.</param>
/// <param name="ErrorBound">Newton: the largest bound on what rounding in each step amounts to, carried through the Jacobians: e[t] = |J[t]| e[t-1] + u max(1,
/// |h[t]|).</param>
/// <param name="SequentialSteps">Steps, summed over sequences, that were finished step after step.</param>
public readonly record struct SolveReport(
    RnnSolver Solver, string Reason, bool Converged, int Iterations = 0, int Sweeps = 0, double Residual = 0, double ErrorBound = 0, long SequentialSteps = 0);
