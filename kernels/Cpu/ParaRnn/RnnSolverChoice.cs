namespace Kernels.Cpu;

/// <summary>What <see cref="RnnSolver.Auto"/> chooses, from sizes alone.</summary>
internal static unsafe class RnnSolverChoice
{
    /// <summary>
    /// The lanes that the sequential solver must leave idle for shooting to pay. Sequentially a step costs its latency until <see cref="RnnTuning.TileVectors"/> registers are full;
    /// shooting does some 1.3 times the work, at throughput, and copies every gate to its lane.
    /// </summary>
    private const int LanesPerChannel = 3;

    /// <summary>The fewest segments that pay for the run-in and the copies.</summary>
    private const int LeastSegments = 8;

    public static RnnSolver Of<TCell, T>(RnnRun<T>* runs, int runCount, int channels, int registerLanes, int threads, out string reason)
        where TCell : struct, IRnnCell
        where T : unmanaged
    {
        long shortest = long.MaxValue, lanes = (long)RnnTuning.TileVectors * registerLanes * threads, all = (long)runCount * channels;
        for (int i = 0; i < runCount; i++)
            shortest = Math.Min(shortest, runs[i].Steps);
        if (registerLanes == 1)
            reason = "sequential: registers of one lane leave nothing to share among segments";
        else if (all * LanesPerChannel > lanes)
            reason = "sequential: the channels alone keep the lanes of all cores busy enough";
        else if (runCount == 0 || shortest < LeastSegments * RnnTuning.MinSegmentSteps)
            reason = "sequential: runs too short to be cut into segments worth a run-in";
        else
        {
            reason = "segment shooting: few channels and long runs, so most lanes would idle through the latency of every step";
            return RnnSolver.SegmentShooting;
        }
        return RnnSolver.Sequential;
    }
}
