using Kernels.Core.ParaRnn;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>What became of one channel of one run.</summary>
internal struct NewtonOutcome
{
    public int Iterations;

    /// <summary>The steps solved; fewer than the run has where a window did not converge.</summary>
    public int Solved;
    public double Residual, ErrorBound;
}

/// <summary>
/// Newton's method for all channels of all runs, and a sequential finish of the channels in which a window did not converge: they do not show in the others.
/// </summary>
internal static unsafe class RnnNewton<TCell, TSimd, V, T>
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    public static SolveReport Run(
        RnnRun<T>* runs, int runCount, T* weights, in RnnStrides strides, in RnnSolverSettings settings, string reason, int threads,
        CancellationToken cancellation)
    {
        long items = (long)runCount * strides.Channels;
        using var outcomeMemory = RentedScratch.Of(items, out NewtonOutcome* outcomes);
        var job = new RnnNewtonJob<TCell, TSimd, V, T>(runs, weights, outcomes, strides, settings);
        RangeRunner.Run(job, items, 1, threads, cancellation);
        int iterations = 0;
        long open = 0, finished = 0;
        double residual = 0, bound = 0;
        for (int run = 0; run < runCount; run++)
        {
            int solved = runs[run].Steps;
            for (int channel = 0; channel < strides.Channels; channel++)
            {
                ref NewtonOutcome outcome = ref outcomes[(long)run * strides.Channels + channel];
                iterations = Math.Max(iterations, outcome.Iterations);
                residual = Math.Max(residual, outcome.Residual);
                bound = Math.Max(bound, outcome.ErrorBound);
                solved = Math.Min(solved, outcome.Solved);
                open += outcome.Solved < runs[run].Steps ? 1 : 0;
            }
            finished += runs[run].Steps - solved;
        }
        if (open > 0)
            Finish(runs, runCount, weights, outcomes, open, strides, threads, cancellation);
        return new SolveReport(RnnSolver.Newton, reason, open == 0, iterations, Residual: residual, ErrorBound: bound, SequentialSteps: finished);
    }

    // Each open channel takes the next lane; neighbours that were solved equally far go together.
    private static void Finish(
        RnnRun<T>* runs, int runCount, T* weights, NewtonOutcome* outcomes, long open, in RnnStrides strides, int threads, CancellationToken cancellation)
    {
        int tileLanes = RnnLanesJob<TCell, TSimd, V, T>.TileLanes;
        long tileCount = (open - 1) / tileLanes + 1, lanes = 0, groupCount = 0, before = -1;
        using var groupMemory = RentedScratch.Of(open, out RnnLanes<T>* groups);
        using var firstGroupMemory = RentedScratch.Of(tileCount + 1, out long* firstGroups);
        for (long item = 0; item < (long)runCount * strides.Channels; item++)
        {
            RnnRun<T> run = runs[item / strides.Channels];
            int solved = outcomes[item].Solved, channel = (int)(item % strides.Channels), lane = (int)(lanes % tileLanes);
            if (solved == run.Steps)
                continue;
            if (lane == 0)
                firstGroups[lanes / tileLanes] = groupCount;
            lanes++;
            if (lane > 0 && channel > 0 && before == item - 1 && outcomes[before].Solved == solved)
                groups[groupCount - 1].Count++;
            else
                groups[groupCount++] = run.From(solved, strides).Lanes(channel, 1, lane, weights, strides);
            before = item;
        }
        firstGroups[tileCount] = groupCount;
        RangeRunner.Run(new RnnLanesJob<TCell, TSimd, V, T>(groups, firstGroups, strides), tileCount, 1, threads, cancellation);
    }
}
