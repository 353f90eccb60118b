namespace Kernels;

/// <summary>How a recurrence is to be run. The default value is a plain forward pass from zero states with <see cref="RnnSolver.Auto"/>.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly ref struct RnnOptions<T> where T : unmanaged
{
    /// <summary>The solver.</summary>
    public RnnSolver Solver { get; init; }

    /// <summary>The direction of time.</summary>
    public RnnDirection Direction { get; init; }

    /// <summary>The states before the first step, [sequences, components, channels]; empty (the default) for zeros.</summary>
    public ReadOnlySpan<T> InitialState { get; init; }

    /// <summary>
    /// The steps of each sequence, 0 to the step count; empty (the default) for full length. States beyond are written as zeros, and what stands in the inputs
    /// there is not used.
    /// </summary>
    public ReadOnlySpan<int> Lengths { get; init; }

    /// <summary>
    /// True where a step begins anew from a zero state, whatever came before it in the direction of time; [sequences, steps] row-major in either order. Empty
    /// (the default) for nowhere.
    /// </summary>
    public ReadOnlySpan<bool> Resets { get; init; }

    /// <summary>
    /// Receives the state after each sequence's last step in the direction of time, [sequences, components, channels]; the initial state for a sequence of
    /// length 0.
    /// </summary>
    public Span<T> FinalState { get; init; }

    /// <summary>Newton: iterations for a window before it is given up; at least 1. <see langword="null"/> (the default) for 10.</summary>
    public int? MaxIterations { get; init; }

    /// <summary>
    /// Newton: the bound on update, residual and error bound at which a window has converged, a finite number above 0. <see langword="null"/> (the default) for
    /// 1e-6 with float, 1e-13 with double.
    /// </summary>
    public double? Tolerance { get; init; }

    /// <summary>Newton: the share of each update that is applied, above 0 and up to 1. <see langword="null"/> (the default) for 1.</summary>
    public double? Damping { get; init; }

    /// <summary>
    /// Newton: uses only the diagonals of Jacobian blocks (quasi-Newton): cheaper iterations, more of them. No difference for cells of one component.
    /// </summary>
    public bool DiagonalJacobian { get; init; }

    /// <summary>Shooting: sweeps before what has not met is finished step after step; at least 1. <see langword="null"/> (the default) for 3.</summary>
    public int? MaxSweeps { get; init; }

    /// <summary>
    /// Shooting: segments to cut each sequence into, at least 1; no more than it has steps are made. <see langword="null"/> (the default) for as many as fill
    /// the lanes.
    /// </summary>
    public int? SegmentCount { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}

/// <summary>How the gradient of a recurrence is to be run; states where the forward pass differed from the default.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly ref struct RnnGradientOptions<T> where T : unmanaged
{
    /// <summary>The forward pass's direction.</summary>
    public RnnDirection Direction { get; init; }

    /// <summary>The forward pass's initial states.</summary>
    public ReadOnlySpan<T> InitialState { get; init; }

    /// <summary>The forward pass's lengths.</summary>
    public ReadOnlySpan<int> Lengths { get; init; }

    /// <summary>The forward pass's resets.</summary>
    public ReadOnlySpan<bool> Resets { get; init; }

    /// <summary>The loss's gradient by the final states, [sequences, components, channels], beside that by all states; empty (the default) for none.</summary>
    public ReadOnlySpan<T> FinalStateGradient { get; init; }

    /// <summary>Receives the gradient by the initial states, [sequences, components, channels]; empty (the default) if not wanted.</summary>
    public Span<T> InitialStateGradient { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
