namespace Kernels.Core.Threading;

/// <summary>Runs an <see cref="IRangeJob"/> on the caller's thread and, if asked, on thread-pool threads beside it; allocates nothing once warm.</summary>
internal static class RangeRunner
{
    /// <summary>Does all items, handing out <paramref name="grain"/> items at a time.</summary>
    /// <param name="job">The work; its result must not depend on how the items are cut.</param>
    /// <param name="count">The number of items.</param>
    /// <param name="grain">The number of items handed out at a time, at least 1; the token is looked at between such blocks.</param>
    /// <param name="threads">The number of threads, at least 1; never more than there are blocks.</param>
    /// <param name="cancellation">Ends the work between blocks.</param>
    public static void Run<TJob>(in TJob job, long count, long grain, int threads, CancellationToken cancellation) where TJob : unmanaged, IRangeJob
    {
        cancellation.ThrowIfCancellationRequested();
        long blocks = (count + grain - 1) / grain;
        if (threads <= 1 || blocks <= 1)
            RunAlone(job, count, grain, cancellation);
        else
            RangeTeam<TJob>.Run(job, count, grain, (int)Math.Min(threads, blocks), cancellation);
    }

    private static void RunAlone<TJob>(TJob job, long count, long grain, CancellationToken cancellation) where TJob : unmanaged, IRangeJob
    {
        if (!cancellation.CanBeCanceled)
        {
            job.Run(0, count);
            return;
        }
        for (long begin = 0; begin < count; begin += grain)
        {
            cancellation.ThrowIfCancellationRequested();
            job.Run(begin, Math.Min(begin + grain, count));
        }
    }
}
