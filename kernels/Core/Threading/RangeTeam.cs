using System.Runtime.ExceptionServices;

namespace Kernels.Core.Threading;

/// <summary>
/// One parallel run of a job: a ticket counter that hands out blocks, and a gate that the caller closes when no block is left. Pool threads that
/// come late find the gate closed and go away, so a busy thread pool can delay a run but never block it.
/// </summary>
internal sealed class RangeTeam<TJob> : IThreadPoolWorkItem where TJob : unmanaged, IRangeJob
{
    // State of the gate: the number of pool threads inside, or Closed once the caller lets nobody else in.
    private const int Closed = int.MinValue;

    // Some 20 to 50 microseconds, the time of a wake-up; from the tenth on every other spin gives the processor to whoever waits for it.
    private const int SpinsBeforeSleep = 100;

    // Teams at rest: as many as there can be callers at work at once.
    private static readonly RangeTeam<TJob>?[] s_spares = new RangeTeam<TJob>?[Environment.ProcessorCount];

    // Guards _allLeft and wakes the caller; a monitor, since the slim events allocate when they first block.
    private readonly object _exit = new();
    private TJob _job;
    private long _count;
    private long _grain;
    private long _nextBlock;
    private int _inside = Closed;

    // Items in the thread pool's queue that nobody has taken yet. A busy pool may leave some from an earlier run: they serve the next one, and the
    // queue never grows beyond the helpers asked for.
    private int _queued;
    private bool _allLeft;
    private CancellationToken _cancellation;
    private ExceptionDispatchInfo? _failure;

    public static void Run(in TJob job, long count, long grain, int threads, CancellationToken cancellation)
    {
        RangeTeam<TJob> team = TakeSpare() ?? new RangeTeam<TJob>();
        team.RunHere(job, count, grain, threads, cancellation);
        ExceptionDispatchInfo? failure = team._failure;
        team._failure = null;
        KeepSpare(team);
        failure?.Throw();
        cancellation.ThrowIfCancellationRequested();
    }

    private static RangeTeam<TJob>? TakeSpare()
    {
        foreach (ref RangeTeam<TJob>? slot in s_spares.AsSpan())
        {
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } spare)
                return spare;
        }
        return null;
    }

    private static void KeepSpare(RangeTeam<TJob> team)
    {
        foreach (ref RangeTeam<TJob>? slot in s_spares.AsSpan())
        {
            if (Interlocked.CompareExchange(ref slot, team, null) is null)
                return;
        }
    }

    private void RunHere(in TJob job, long count, long grain, int threads, CancellationToken cancellation)
    {
        _job = job;
        _count = count;
        _grain = grain;
        _nextBlock = 0;
        _cancellation = cancellation;
        _allLeft = false;
        Volatile.Write(ref _inside, 0);
        for (int helpers = Volatile.Read(ref _queued); helpers < threads - 1; helpers++)
        {
            Interlocked.Increment(ref _queued);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        TakeBlocks();
        CloseAndWait();
    }

    void IThreadPoolWorkItem.Execute()
    {
        Interlocked.Decrement(ref _queued);
        if (!Enter())
            return;
        TakeBlocks();
        // The last one out after closing: Closed + 1 - 1.
        if (Interlocked.Decrement(ref _inside) == Closed)
            LetCallerGo();
    }

    private bool Enter()
    {
        for (int seen = Volatile.Read(ref _inside); seen >= 0;)
        {
            int found = Interlocked.CompareExchange(ref _inside, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }
        return false;
    }

    private void CloseAndWait()
    {
        // Closed has only its sign bit set: adding it to the count inside keeps the count and makes the sum negative.
        if (Interlocked.Add(ref _inside, Closed) == Closed)
            return;
        // The others are in their last block: most often a shorter while than it takes to sleep and be woken.
        var spin = new SpinWait();
        while (spin.Count < SpinsBeforeSleep && !Volatile.Read(ref _allLeft))
            spin.SpinOnce(sleep1Threshold: -1);
        lock (_exit)
        {
            while (!_allLeft)
                Monitor.Wait(_exit);
        }
    }

    private void LetCallerGo()
    {
        lock (_exit)
        {
            _allLeft = true;
            Monitor.Pulse(_exit);
        }
    }

    private void TakeBlocks()
    {
        try
        {
            TJob job = _job;
            while (!_cancellation.IsCancellationRequested)
            {
                long begin = (Interlocked.Increment(ref _nextBlock) - 1) * _grain;
                if (begin >= _count)
                    return;
                job.Run(begin, Math.Min(begin + _grain, _count));
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            Interlocked.Exchange(ref _nextBlock, _count);
        }
    }
}
