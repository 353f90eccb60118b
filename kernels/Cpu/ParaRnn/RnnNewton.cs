namespace Kernels.Cpu;

/// <summary>What became of one channel of one run.</summary>
internal struct NewtonOutcome
{
    public int Iterations;

    /// <summary>The steps solved; fewer than the run has where a window did not converge.</summary>
    public int Solved;
    public double Residual, ErrorBound;
}

/// <summary>Newton's method for all channels of all runs, and a sequential finish of the runs in which a window did not converge.</summary>
internal static unsafe class RnnNewton<TCell, TSimd, V, T>
    where TCell : struct, IDifferentiableRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    public static SolveReport Run(
        RnnRun<T>* runs, int runCount, T* weights, in RnnStrides strides, in RnnSolverSettings settings, string reason, int threads, CancellationToken cancellation)
    {
        long items = (long)runCount * strides.Channels;
        using var outcomes = new PooledMemory<NewtonOutcome>(items);
        var job = new RnnNewtonJob<TCell, TSimd, V, T>(runs, weights, outcomes.Pointer, strides, settings);
        RangeRunner.Run(job, items, 1, threads, cancellation);
        int iterations = 0, open = 0;
        long finished = 0;
        double residual = 0, bound = 0;
        for (int run = 0; run < runCount; run++)
        {
            int solved = runs[run].Steps;
            for (int channel = 0; channel < strides.Channels; channel++)
            {
                ref NewtonOutcome outcome = ref outcomes.Pointer[(long)run * strides.Channels + channel];
                iterations = Math.Max(iterations, outcome.Iterations);
                residual = Math.Max(residual, outcome.Residual);
                bound = Math.Max(bound, outcome.ErrorBound);
                solved = Math.Min(solved, outcome.Solved);
            }
            if (solved == runs[run].Steps)
                continue;
            // From the earliest step that any channel lacks, for all channels: SIMD wants them side by side.
            finished += runs[run].Steps - solved;
            runs[open++] = runs[run].From(solved, strides);
        }
        RnnSequentialJob<TCell, TSimd, V, T>.Run(runs, open, weights, strides, threads, cancellation);
        return new SolveReport(RnnSolver.Newton, reason, open == 0, iterations, Residual: residual, ErrorBound: bound, SequentialSteps: finished);
    }
}
