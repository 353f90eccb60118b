namespace Kernels.Perf;

/// <summary>One way to solve a workload: a variant of ours or a rival, with a number of threads.</summary>
internal interface IContender : IDisposable
{
    /// <summary>A variant's identity in the catalogue, or <c>rival/...</c>.</summary>
    string Identity { get; }

    int Threads { get; }

    /// <summary>Whether this is what a caller gets who asks for nothing: rivals are compared with it.</summary>
    bool IsDefault => KernelInfo.Catalogue.Any(dispatch => dispatch.Chosen.Identity == Identity);

    /// <summary>Whether it solves the workload's own problem; a rival that solves one like it is shown, and compared with nothing.</summary>
    bool SolvesTheSameProblem => true;

    /// <summary>The largest error that passes the check. Rivals have a wide one: it only shows that they solved the same problem.</summary>
    double Tolerance { get; }

    /// <summary>Solves the workload once and compares every element of the result with the oracle. NaN and errors above the tolerance fail.</summary>
    double LargestError();

    /// <summary>Seconds for <paramref name="calls"/> calls, one after another, each on the next of the workload's buffers.</summary>
    double Time(int calls);
}

/// <summary>A contender that is a call within this process.</summary>
/// <param name="identity">See <see cref="IContender.Identity"/>.</param>
/// <param name="threads">See <see cref="IContender.Threads"/>.</param>
/// <param name="bufferCount">The number of buffers to cycle through.</param>
/// <param name="tolerance">See <see cref="IContender.Tolerance"/>.</param>
/// <param name="call">Solves the workload on the buffer of that number.</param>
/// <param name="largestError">Compares the output of buffer 0 with the oracle.</param>
/// <param name="release">Frees what the call needs, or null.</param>
internal sealed class CallContender(
    string identity, int threads, int bufferCount, double tolerance, Action<int> call, Func<double> largestError, Action? release = null) : IContender
{
    private int _next;

    public string Identity => identity;

    public int Threads => threads;

    public bool IsDefault { get; init; } = KernelInfo.Catalogue.Any(dispatch => dispatch.Chosen.Identity == identity);

    public double Tolerance => tolerance;

    public double LargestError()
    {
        call(0);
        return largestError();
    }

    public double Time(int calls)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
        {
            call(_next);
            _next = _next + 1 == bufferCount ? 0 : _next + 1;
        }
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => release?.Invoke();
}
