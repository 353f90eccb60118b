using Kernels.Core.ParaRnn;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>A run cut into segments. Lane s C + c of a run is channel c of segment s; tiles are TileVectors registers of neighbouring lanes.</summary>
internal unsafe struct SegmentedRun<T> where T : unmanaged
{
    public RnnRun<T> Run;
    public int Segments, SegmentSteps;

    /// <summary>The state before each segment, [segments, components, channels]; that before the first is the run's.</summary>
    public T* Starts;
    public int FirstTile, TileCount;
}

/// <summary>
/// Multiple shooting: sweeps over segments until the states at all cuts are the same bits, and a sequential finish of what does not get there.
/// </summary>
internal static unsafe class RnnShooting<TCell, TSimd, V, T>
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    public static int TileLanes => RnnTuning.TileVectors * TSimd.Count;

    public static SolveReport Run(
        RnnRun<T>* runs, int runCount, T* weights, in RnnStrides strides, in RnnSolverSettings settings, string reason, int threads,
        CancellationToken cancellation)
    {
        using var segmentedMemory = RentedScratch.Of(runCount, out SegmentedRun<T>* segmented);
        long startElements = 0;
        int tileCount = 0;
        for (int i = 0; i < runCount; i++)
        {
            int wanted = settings.SegmentCount is { } count
                ? Math.Min(count, runs[i].Steps)
                : RnnTuning.SegmentsOf(runs[i].Steps, (long)runCount * strides.Channels, (long)TileLanes * threads);
            int steps = (runs[i].Steps - 1) / wanted + 1, segments = (runs[i].Steps - 1) / steps + 1;
            int tiles = (int)(((long)segments * strides.Channels + TileLanes - 1) / TileLanes);
            segmented[i] = new SegmentedRun<T> { Run = runs[i], Segments = segments, SegmentSteps = steps, FirstTile = tileCount, TileCount = tiles };
            tileCount += tiles;
            startElements += (long)segments * TCell.StateCount * strides.Channels;
        }
        using var startMemory = RentedScratch.Of(startElements, out T* starts);
        using var dirtyMemory = RentedScratch.Of(tileCount, out bool* dirty);
        T* next = starts;
        for (int i = 0; i < runCount; i++)
        {
            segmented[i].Starts = next;
            next += (long)segmented[i].Segments * TCell.StateCount * strides.Channels;
        }
        new Span<bool>(dirty, tileCount).Fill(true);
        var sweep = new RnnSweepJob<TCell, TSimd, V, T>(segmented, runCount, weights, dirty, strides);
        int sweeps = 0;
        bool isMet = false;
        while (!isMet && sweeps < settings.MaxSweeps)
        {
            RangeRunner.Run(sweeps == 0 ? sweep.First() : sweep, tileCount, 1, threads, cancellation);
            isMet = PassOn(segmented, runCount, dirty, tileCount, runs, strides);
            sweeps++;
        }
        long finished = 0;
        if (!isMet)
        {
            // PassOn left in the runs what follows their first open cut.
            int open = 0;
            for (int i = 0; i < runCount; i++)
            {
                if (runs[i].Steps == 0)
                    continue;
                finished += runs[i].Steps;
                runs[open++] = runs[i];
            }
            RnnSequentialJob<TCell, TSimd, V, T>.Run(runs, open, weights, strides, threads, cancellation);
        }
        return new SolveReport(RnnSolver.MultipleShooting, reason, isMet, Sweeps: sweeps, SequentialSteps: finished);
    }

    // The end of each segment becomes the start of the next. Tiles whose starts changed are dirty; each run's rest from its first change on is written to
    // rests. True if nothing changed: then, from the first segment on, every start is the exact end before it.
    private static bool PassOn(SegmentedRun<T>* segmented, int runCount, bool* dirty, int tileCount, RnnRun<T>* rests, in RnnStrides strides)
    {
        bool isMet = true;
        int row = TCell.StateCount * strides.Channels;
        new Span<bool>(dirty, tileCount).Clear();
        for (int i = 0; i < runCount; i++)
        {
            ref SegmentedRun<T> run = ref segmented[i];
            rests[i].Steps = 0;
            for (int segment = 1; segment < run.Segments; segment++)
            {
                var start = new Span<byte>(run.Starts + (long)segment * row, row * sizeof(T));
                var end = new ReadOnlySpan<byte>(run.Run.States + (segment * (long)run.SegmentSteps - 1) * strides.StateStep, row * sizeof(T));
                if (start.SequenceEqual(end))
                    continue;
                end.CopyTo(start);
                int firstTile = (int)((long)segment * strides.Channels / TileLanes), lastTile = (int)((((long)segment + 1) * strides.Channels - 1) / TileLanes);
                new Span<bool>(dirty + run.FirstTile + firstTile, lastTile - firstTile + 1).Fill(true);
                if (rests[i].Steps == 0)
                    rests[i] = run.Run.From(segment * run.SegmentSteps, strides);
                isMet = false;
            }
        }
        return isMet;
    }
}
