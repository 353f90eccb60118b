using Kernels.Core.Threading;

namespace Kernels.Cpu.ParaRnn;

/// <summary>Every size that steers the drivers of recurrences, and what it was derived from or measured by (docs/families/para_rnn.md).</summary>
internal static class RnnTuning
{
    /// <summary>
    /// Registers whose steps run side by side: a step's latency, some 150 cycles, over its throughput, some 30, less what the processor's window of
    /// instructions holds.
    /// </summary>
    public const int TileVectors = 4;

    /// <summary>Registers whose steps together take the time of one: two, measured. Threads do not cut tiles below it.</summary>
    public const int LatencyVectors = 2;

    /// <summary>Steps of a tile before its neighbours' turn comes, so that rows of the inputs are read whole.</summary>
    public const int WindowSteps = 32;

    /// <summary>Gates and states copied to lanes at a time: half of a level 1 cache of 32 KiB.</summary>
    public const int StagedBytes = 16 * 1024;

    /// <summary>Steps of a window of Newton's method in each lane: inputs, states, Jacobians and their products of one register stay in level 1.</summary>
    public const int NewtonLaneSteps = 32;

    /// <summary>Steps whose gradients by the weights are added up in the element type, before the sum is added to one in double.</summary>
    public const int GradientWindowSteps = 64;

    /// <summary>Tiles whose gradients one thread computes side by side: 512 channels of float with 512 bits.</summary>
    public const int GradientTiles = 8;

    /// <summary>
    /// Registers of an affine scan that take turns, and the steps of a turn: several short turns fit what a processor holds in flight, some 500 instructions.
    /// </summary>
    public const int ScanTiles = 8, ScanWindowSteps = 32;

    /// <summary>The shortest segment: shorter ones begin too close to the run-in's guess.</summary>
    public const int MinSegmentSteps = 64;

    /// <summary>
    /// Steps before a segment from which its first guess is computed: a contraction by 0.9 in each step forgets a float's 24 bits in 158 steps.
    /// </summary>
    public const int RunInSteps = 160;

    /// <summary>The segments of a run of that many steps: as many as fill the lanes, none shorter than the least that is worth a run-in.</summary>
    public static int SegmentsOf(int steps, long channels, long lanes) =>
        (int)Math.Clamp(Math.Min(lanes / Math.Max(1, channels), steps / MinSegmentSteps), 1, int.MaxValue);

    /// <summary>Channels times steps below which a second thread does not pay: some 50 microseconds.</summary>
    public const long ParallelElements = 64 * 1024;

    public static int ThreadCount(long elements, in KernelOptions options) => ThreadPolicy.Threads(elements, ParallelElements, options);
}
