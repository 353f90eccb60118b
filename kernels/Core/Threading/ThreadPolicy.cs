namespace Kernels.Core.Threading;

/// <summary>
/// How many threads a call gets: as many as it asks for; else all processors, where the work is worth waking them. What is computed never depends on it.
/// </summary>
internal static class ThreadPolicy
{
    /// <summary>Beyond any machine: numbers of threads are multiplied, and gone through one by one.</summary>
    public const int MostEver = 1024;

    /// <summary>The threads of a call whose work is worth waking them, whatever its size.</summary>
    public static int Threads(in KernelOptions options) =>
        Math.Min(options.MaxDegreeOfParallelism > 0 ? options.MaxDegreeOfParallelism : MachineInfo.Current.ProcessorCount, MostEver);

    /// <param name="work">The size of the call, in whatever the family counts.</param>
    /// <param name="worthwhile">The size below which a second thread does not pay, unless it is asked for.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="most">What the work can be divided among; at least 1.</param>
    public static int Threads(long work, long worthwhile, in KernelOptions options, int most = MostEver) =>
        options.MaxDegreeOfParallelism == 0 && work < worthwhile ? 1 : Math.Min(Threads(options), most);
}
