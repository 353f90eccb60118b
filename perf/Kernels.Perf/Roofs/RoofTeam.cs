using System.Diagnostics;

namespace Kernels.Perf;

/// <summary>Threads that start their shares of a piece of work at the same moment.</summary>
internal static class RoofTeam
{
    /// <summary>Seconds from the common start to the end of the slowest share.</summary>
    /// <param name="threads">The number of threads, the caller's included.</param>
    /// <param name="work">Given the thread's number, does its share.</param>
    public static double Time(int threads, Action<int> work)
    {
        using var gate = new Barrier(threads);
        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(number => new Thread(() => Meet(gate, number, work)))];
        foreach (Thread thread in others)
            thread.Start();
        double seconds = Meet(gate, 0, work);
        foreach (Thread thread in others)
            thread.Join();
        return seconds;
    }

    private static double Meet(Barrier gate, int number, Action<int> work)
    {
        gate.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        work(number);
        gate.SignalAndWait();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
