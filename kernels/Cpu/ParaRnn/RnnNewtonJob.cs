using System.Runtime.CompilerServices;
using Kernels.Core.ParaRnn;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Newton's method, channel by channel, window by window: the lanes of a register are stretches of the window that follow one another. One iteration linearises
/// every step at the current states, d[t] = J[t] d[t-1] + f(h[t-1], x[t]) - h[t], solves that affine recurrence by a scan, and adds d. The fewer steps than
/// lanes at a run's end follow one by one.
/// </summary>
internal readonly unsafe struct RnnNewtonJob<TCell, TSimd, V, T>(RnnRun<T>* runs, T* weights, NewtonOutcome* outcomes, RnnStrides strides,
    RnnSolverSettings settings) : IRangeJob
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnRun<T>* _runs = runs;
    private readonly T* _weights = weights;
    private readonly NewtonOutcome* _outcomes = outcomes;
    private readonly RnnStrides _strides = strides;
    private readonly RnnSolverSettings _settings = settings;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        long windowElements = NewtonWindow<TCell, TSimd, V, T>.ScratchElements, tailElements = StagedTile<TCell, TSimd, V, T>.ScratchElements(TSimd.Count);
        long bytes = RentedScratch.Bytes<T>(windowElements) + RentedScratch.Bytes<T>(tailElements);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var memory = new RentedScratch(frame, bytes);
        T* scratch = memory.Take<T>(windowElements), tail = memory.Take<T>(tailElements);
        for (long item = begin; item < end; item++)
        {
            var window = new NewtonWindow<TCell, TSimd, V, T>(scratch);
            _outcomes[item] = Solve(_runs[item / _strides.Channels], (int)(item % _strides.Channels), window, tail);
        }
    }

    private NewtonOutcome Solve(in RnnRun<T> run, int channel, NewtonWindow<TCell, TSimd, V, T> window, T* tail)
    {
        int width = TSimd.Count;
        var outcome = new NewtonOutcome();
        window.Begin(_weights + channel, run.Start + channel, _strides.Channels);
        while (run.Steps - outcome.Solved >= width)
        {
            int steps = Math.Min(RnnTuning.NewtonLaneSteps, (run.Steps - outcome.Solved) / width);
            T* gates = run.Gates + outcome.Solved * _strides.GateStep + channel, states = run.States + outcome.Solved * _strides.StateStep + channel;
            for (int lane = 0; lane < width; lane++)
                LaneCopy<TSimd, V, T>.Gather(gates + lane * steps * _strides.GateStep, _strides.GateStep, _strides.Channels, window.Gates + lane, width,
                    TCell.GateCount, 1, steps);
            if (!window.Solve(steps, _settings, ref outcome))
                return outcome;
            for (int lane = 0; lane < width; lane++)
                LaneCopy<TSimd, V, T>.Scatter(window.States + lane, width, states + lane * steps * _strides.StateStep, _strides.StateStep, _strides.Channels,
                    TCell.StateCount, 1, steps);
            window.Advance(steps);
            outcome.Solved += steps * width;
        }
        if (outcome.Solved < run.Steps)
        {
            RnnLanes<T> lane = run.From(outcome.Solved, _strides).Lanes(channel, 1, 0, _weights, _strides);
            new StagedTile<TCell, TSimd, V, T>(tail, width, _strides).Run(new(ref lane));
            outcome.Solved = run.Steps;
        }
        return outcome;
    }
}
