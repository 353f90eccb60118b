using System.Diagnostics;

namespace Kernels.Tests;

/// <summary>Measures what a call allocates on the managed heap once it is warm.</summary>
internal static class AllocationMeter
{
    // Long enough for a loaded machine to compile hot methods a second time: until then they may box, and the pools are not full.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The fewest bytes that a round of <paramref name="calls"/> allocates on this thread, measured until one allocates no more than <paramref name="enough"/>.
    /// A collection meanwhile, the thread pool's queue and compilations may add to any round; what a call itself allocates, it allocates in every one.
    /// </summary>
    public static long LeastPerRound(Action calls, long enough = 0)
    {
        long least = long.MaxValue;
        for (var watch = Stopwatch.StartNew(); least > enough && watch.Elapsed < s_patience; Thread.Sleep(1))
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            calls();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
