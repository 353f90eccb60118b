using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Runs lanes that do not lie side by side in memory: window after window their gates are copied to scratch, computed there, and their states copied back.
/// Lanes that have ended, and those nobody uses, go on computing on whatever is there, which nobody sees.
/// </summary>
internal unsafe ref struct StagedTile<TCell, TSimd, V, T>
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnStrides _strides;
    private readonly T* _gates, _states, _weights;
    private readonly int _lanes, _windowSteps;

    /// <param name="scratch"><see cref="ScratchElements"/> elements.</param>
    /// <param name="lanes">A multiple of the register's.</param>
    /// <param name="strides">The distances in the caller's arrays.</param>
    public StagedTile(T* scratch, int lanes, in RnnStrides strides)
    {
        _strides = strides;
        _lanes = lanes;
        _windowSteps = WindowSteps(lanes);
        _gates = scratch;
        _states = _gates + _windowSteps * TCell.GateCount * lanes;
        _weights = _states + (_windowSteps + 1) * TCell.StateCount * lanes;
        new Span<T>(scratch, (int)ScratchElements(lanes)).Clear();
    }

    public static long ScratchElements(int lanes) =>
        Math.Max(RnnTuning.StagedBytes / sizeof(T), (long)lanes * (TCell.GateCount + TCell.StateCount)) + (long)lanes * (TCell.StateCount + TCell.WeightCount);

    private static int WindowSteps(int lanes) =>
        Math.Clamp(RnnTuning.StagedBytes / (lanes * sizeof(T) * (TCell.GateCount + TCell.StateCount)), 1, RnnTuning.WindowSteps);

    /// <summary>Runs all lanes to their ends and writes their states to the caller's arrays.</summary>
    public readonly void Run(ReadOnlySpan<RnnLanes<T>> groups)
    {
        foreach (ref readonly RnnLanes<T> group in groups)
            LaneCopy<TSimd, V, T>.Gather(group.Start, 0, group.StartStride, _states + group.Lane, _lanes, TCell.StateCount, group.Count, 1);
        RunWindows(groups, writesStates: true);
    }

    /// <summary>Runs all lanes from zero states, all equally many steps, and writes only the states after the last one, [components, lanes].</summary>
    public readonly void RunFromZero(ReadOnlySpan<RnnLanes<T>> groups, T* ends)
    {
        RunWindows(groups, writesStates: false);
        new ReadOnlySpan<T>(_states, TCell.StateCount * _lanes).CopyTo(new Span<T>(ends, TCell.StateCount * _lanes));
    }

    // The state before each window is the first row of states.
    private readonly void RunWindows(ReadOnlySpan<RnnLanes<T>> groups, bool writesStates)
    {
        int longest = 0, stateRow = TCell.StateCount * _lanes;
        foreach (ref readonly RnnLanes<T> group in groups)
        {
            longest = Math.Max(longest, group.Steps);
            LaneCopy<TSimd, V, T>.Gather(group.Weights, 0, _strides.Channels, _weights + group.Lane, _lanes, TCell.WeightCount, group.Count, 1);
        }
        for (int begin = 0; begin < longest; begin += _windowSteps)
        {
            int steps = Math.Min(_windowSteps, longest - begin);
            RunWindow(groups, begin, steps, writesStates);
            new ReadOnlySpan<T>(_states + steps * stateRow, stateRow).CopyTo(new Span<T>(_states, stateRow));
        }
    }

    private readonly void RunWindow(ReadOnlySpan<RnnLanes<T>> groups, int begin, int steps, bool writesStates)
    {
        int stateRow = TCell.StateCount * _lanes;
        foreach (ref readonly RnnLanes<T> group in groups)
        {
            LaneCopy<TSimd, V, T>.Gather(
                group.Gates + begin * _strides.GateStep, _strides.GateStep, _strides.Channels, _gates + group.Lane, _lanes, TCell.GateCount, group.Count,
                Math.Min(steps, group.Steps - begin));
        }
        RnnKernels<TCell, TSimd, V, T>.Forward(new RnnTile<T>
        {
            Gates = _gates,
            Weights = _weights,
            Start = _states,
            States = _states + stateRow,
            GateStride = _lanes,
            WeightStride = _lanes,
            StartStride = _lanes,
            StateStride = _lanes,
            GateStep = TCell.GateCount * _lanes,
            StateStep = stateRow,
            Steps = steps,
            Lanes = _lanes,
        });
        if (!writesStates)
            return;
        foreach (ref readonly RnnLanes<T> group in groups)
        {
            LaneCopy<TSimd, V, T>.Scatter(
                _states + stateRow + group.Lane, _lanes, group.States + begin * _strides.StateStep, _strides.StateStep, _strides.Channels, TCell.StateCount,
                group.Count, Math.Min(steps, group.Steps - begin));
        }
    }
}
