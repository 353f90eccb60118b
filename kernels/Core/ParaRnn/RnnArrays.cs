namespace Kernels.Core.ParaRnn;

/// <summary>What a backend sees of a recurrence: pinned pointers and numbers. Null pointers stand for what was not given.</summary>
internal unsafe struct RnnArrays<T> where T : unmanaged
{
    public RnnShape Shape;
    public RnnDirection Direction;
    public T* Gates;
    public T* Weights;
    public T* States;
    public T* InitialState;
    public T* FinalState;
    public int* Lengths;
    public bool* Resets;

    public readonly int LengthOf(int sequence) => Lengths == null ? Shape.StepCount : Lengths[sequence];
}

/// <summary>What the backward pass reads and writes besides.</summary>
internal unsafe struct RnnGradientArrays<T> where T : unmanaged
{
    public T* StateGradients;
    public T* FinalStateGradient;
    public T* GateGradients;
    public T* WeightGradients;
    public T* InitialStateGradient;
}

/// <summary>The solver's settings, with every default put in.</summary>
internal readonly record struct RnnSolverSettings(
    RnnSolver Solver, int MaxIterations, double Tolerance, double Damping, bool DiagonalJacobian, int MaxSweeps, int? SegmentCount)
{
    // A dozen roundings at 1 (docs/families/para_rnn.md): what a contractive cell's own rounding amounts to.
    private const double SingleTolerance = 1e-6, DoubleTolerance = 1e-13;

    // Newton squares its error from one iteration to the next: a window that ten do not solve, more will not. Shooting: the sweep after the run-in, and two
    // that pass on what had not met.
    private const int StandardIterations = 10, StandardSweeps = 3;

    public static RnnSolverSettings Of<T>(in RnnOptions<T> options) where T : unmanaged => new(
        options.Solver, options.MaxIterations ?? StandardIterations, options.Tolerance ?? (typeof(T) == typeof(float) ? SingleTolerance : DoubleTolerance),
        options.Damping ?? 1, options.DiagonalJacobian, options.MaxSweeps ?? StandardSweeps, options.SegmentCount);
}
