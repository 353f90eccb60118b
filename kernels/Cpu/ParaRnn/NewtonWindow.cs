using Kernels.Core.ParaRnn;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// One window of one channel in lanes: lane l holds the stretch of steps l n to l n + n - 1. All arrays are [steps, components, lanes] in scratch.
/// </summary>
internal readonly unsafe struct NewtonWindow<TCell, TSimd, V, T>
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private const int MaxSteps = RnnTuning.NewtonLaneSteps;

    public readonly T* Gates, States;
    private readonly T* _updates, _jacobians, _norms, _weights, _starts, _before, _shifted, _bounds;

    public NewtonWindow(T* scratch)
    {
        Gates = scratch;
        States = Gates + MaxSteps * TCell.GateCount * Width;
        _updates = States + MaxSteps * Components * Width;
        _jacobians = _updates + MaxSteps * Components * Width;
        _norms = _jacobians + MaxSteps * Components * Components * Width;
        _weights = _norms + MaxSteps * Width;
        _starts = _weights + TCell.WeightCount * Width;
        _before = _starts + Components * Width;
        // The states before the first step of each lane are the last states one lane on: written with an element of room in front.
        _shifted = _before + Components * Width;
        _bounds = _shifted + Components * 2 * Width;
    }

    /// <summary>Gates, states, updates, Jacobians, norms; weights; three small rows of states, one of them with room for a shift; two of bounds.</summary>
    public static int ScratchElements =>
        Width * (MaxSteps * (TCell.GateCount + 2 * Components + Components * Components + 1) + TCell.WeightCount + 4 * Components + 2);

    private static int Width => TSimd.Count;

    private static int Components => TCell.StateCount;

    private static V At(T* rows, int index) => TSimd.Load(ref *rows, (nuint)(index * Width));

    private static void Put(V value, T* rows, int index) => TSimd.Store(value, ref *rows, (nuint)(index * Width));

    private static RnnRegisters<V> Row(T* first) => RnnKernels<TCell, TSimd, V, T>.Registers(first, Width);

    private static V Constant(double value) => TSimd.Broadcast(ComputeType.FromDouble<T>(value));

    /// <summary>The weights of a channel in all lanes, and the state before its run.</summary>
    public void Begin(T* weights, T* start, long stride)
    {
        for (int i = 0; i < TCell.WeightCount; i++)
            Put(TSimd.Broadcast(weights[i * stride]), _weights, i);
        for (int i = 0; i < Components; i++)
            _before[i] = start[i * stride];
        _bounds[0] = default;
    }

    /// <summary>The last state of a solved window, and its error bound, begin the next one.</summary>
    public void Advance(int steps)
    {
        for (int i = 0; i < Components; i++)
            _before[i] = States[((steps - 1) * Components + i) * Width + Width - 1];
        // Bound left the bound after the last lane behind the row.
        _bounds[0] = _bounds[Width];
    }

    /// <summary>Iterates until the update is within the tolerance, then checks residual and error bound. False if it does not get there.</summary>
    public bool Solve(int steps, in RnnSolverSettings settings, ref NewtonOutcome outcome)
    {
        Guess(steps);
        for (int iteration = 1; iteration <= settings.MaxIterations; iteration++)
        {
            outcome.Iterations = Math.Max(outcome.Iterations, iteration);
            Shift(steps);
            Linearise(steps, settings.DiagonalJacobian);
            Scan(steps);
            bool isSmall = Update(steps, settings.Damping, settings.Tolerance);
            if (isSmall)
                return Verify(steps, settings.Tolerance, ref outcome);
        }
        return false;
    }

    // f(0, x): what the gates alone say.
    private void Guess(int steps)
    {
        for (int i = 0; i < Components; i++)
            Put(Constant(0), _starts, i);
        for (int t = 0; t < steps; t++)
            TCell.Step<V, RnnArithmetic<TSimd, V, T>>(Row(Gates + t * TCell.GateCount * Width), Row(_weights), Row(_starts),
                Row(States + t * Components * Width));
    }

    // The state before each lane's first step.
    private void Shift(int steps)
    {
        for (int i = 0; i < Components; i++)
        {
            T* row = _shifted + i * 2 * Width;
            Put(At(States + (steps - 1) * Components * Width, i), row + 1, 0);
            row[0] = _before[i];
        }
    }

    private RnnRegisters<V> StateBefore(int step) =>
        step == 0 ? RnnKernels<TCell, TSimd, V, T>.Registers(_shifted, 2 * Width) : Row(States + (step - 1) * Components * Width);

    private void Linearise(int steps, bool diagonalOnly)
    {
        for (int t = 0; t < steps; t++)
        {
            T* jacobian = _jacobians + t * Components * Components * Width, update = _updates + t * Components * Width, state = States + t * Components * Width;
            TCell.StepWithJacobian<V, RnnArithmetic<TSimd, V, T>>(Row(Gates + t * TCell.GateCount * Width), Row(_weights), StateBefore(t), Row(update),
                Row(jacobian));
            V norm = Constant(0);
            for (int i = 0; i < Components; i++)
            {
                Put(TSimd.Subtract(At(update, i), At(state, i)), update, i);
                V row = Constant(0);
                for (int j = 0; j < Components; j++)
                {
                    row = TSimd.Add(row, TSimd.Abs(At(jacobian, i * Components + j)));
                    if (diagonalOnly && i != j)
                        Put(Constant(0), jacobian, i * Components + j);
                }
                norm = TSimd.MaxKeepingSecond(norm, row);
            }
            Put(norm, _norms, t);
        }
    }

    private void Scan(int steps)
    {
        for (int i = 0; i < Components; i++)
            Put(Constant(0), _starts, i);
        AffineKernels<CellBlock<TCell>, TSimd, V, T>.Compose(_jacobians, _updates, steps);
        AffineKernels<CellBlock<TCell>, TSimd, V, T>.Chain(
            _jacobians + (steps - 1) * Components * Components * Width, _updates + (steps - 1) * Components * Width, _starts, channels: 1);
        AffineKernels<CellBlock<TCell>, TSimd, V, T>.Apply(_jacobians, _updates, _starts, steps);
    }

    // True if no update exceeds the tolerance; NaN exceeds it.
    private bool Update(int steps, double damping, double tolerance)
    {
        V share = Constant(damping), limit = Constant(tolerance), zero = Constant(0), one = Constant(1), exceeding = zero;
        for (int row = 0; row < steps * Components; row++)
        {
            V update = At(_updates, row);
            Put(TSimd.MultiplyAdd(share, update, At(States, row)), States, row);
            exceeding = TSimd.Add(exceeding, TSimd.SelectBelow(update, limit, zero, one));
        }
        return IsZero(exceeding);
    }

    private static bool IsZero(V counts) => ComputeType.ToDouble(TSimd.MaxAcross(counts)) == 0;

    // The residual of the states as they now are, by the recurrence itself, and the bound.
    private bool Verify(int steps, double tolerance, ref NewtonOutcome outcome)
    {
        V limit = Constant(tolerance), zero = Constant(0), one = Constant(1), exceeding = zero, largest = zero;
        Shift(steps);
        for (int t = 0; t < steps; t++)
        {
            T* next = _updates + t * Components * Width;
            TCell.Step<V, RnnArithmetic<TSimd, V, T>>(Row(Gates + t * TCell.GateCount * Width), Row(_weights), StateBefore(t), Row(next));
            for (int i = 0; i < Components; i++)
            {
                V residual = TSimd.Abs(TSimd.Subtract(At(next, i), At(States + t * Components * Width, i)));
                exceeding = TSimd.Add(exceeding, TSimd.SelectBelow(residual, limit, zero, one));
                largest = TSimd.MaxKeepingSecond(residual, largest);
            }
        }
        double bound = Bound(steps, limit, ref exceeding);
        bool isSolved = IsZero(exceeding);
        if (isSolved)
        {
            outcome.Residual = Math.Max(outcome.Residual, ComputeType.ToDouble(TSimd.MaxAcross(largest)));
            outcome.ErrorBound = Math.Max(outcome.ErrorBound, bound);
        }
        return isSolved;
    }

    // e[t] = |J[t]| e[t-1] + u max(1, |h[t]|): a scan like the other, on the norms. u is an ulp at 1: the roundings of one step.
    private double Bound(int steps, V limit, ref V exceeding)
    {
        double unit = typeof(T) == typeof(float) ? MathF.BitIncrement(1f) - 1 : Math.BitIncrement(1.0) - 1;
        V ulp = Constant(unit), zero = Constant(0), one = Constant(1), total = zero, product = one, largest = zero;
        for (int t = 0; t < steps; t++)
        {
            total = TSimd.MultiplyAdd(At(_norms, t), total, Rounding(t, ulp));
            product = TSimd.Multiply(product, At(_norms, t));
        }
        Put(total, _updates, 0);
        Put(product, _jacobians, 0);
        for (int lane = 0; lane < Width; lane++)
            _bounds[lane + 1] = SimdScalar<T>.MultiplyAdd(_jacobians[lane], _bounds[lane], _updates[lane]);
        V bound = At(_bounds, 0);
        for (int t = 0; t < steps; t++)
        {
            bound = TSimd.MultiplyAdd(At(_norms, t), bound, Rounding(t, ulp));
            largest = TSimd.MaxKeepingSecond(bound, largest);
            exceeding = TSimd.Add(exceeding, TSimd.SelectBelow(bound, limit, zero, one));
        }
        return ComputeType.ToDouble(TSimd.MaxAcross(largest));
    }

    private V Rounding(int step, V ulp)
    {
        V magnitude = Constant(1);
        for (int i = 0; i < Components; i++)
            magnitude = TSimd.MaxKeepingSecond(TSimd.Abs(At(States + step * Components * Width, i)), magnitude);
        return TSimd.Multiply(ulp, magnitude);
    }
}
