using Kernels.Core.Threading;

namespace Kernels.Tests;

/// <summary>The one policy for threads: what is asked for, else all processors where the work is worth it, and never more than can be used.</summary>
public sealed class ThreadPolicyTests
{
    private static readonly int s_processors = Environment.ProcessorCount;

    [Fact]
    public void SmallWorkIsDoneAloneUnlessThreadsAreAskedFor()
    {
        Assert.Equal(1, ThreadPolicy.Threads(99, worthwhile: 100, default));
        Assert.Equal(s_processors, ThreadPolicy.Threads(100, worthwhile: 100, default));
        Assert.Equal(s_processors, ThreadPolicy.Threads(default));
        Assert.Equal(3, ThreadPolicy.Threads(0, worthwhile: 100, Asking(3)));
        Assert.Equal(1, ThreadPolicy.Threads(long.MaxValue, worthwhile: 100, Asking(1)));
    }

    [Fact]
    public void NeverMoreThanTheWorkCanBeDividedAmong()
    {
        Assert.Equal(2, ThreadPolicy.Threads(100, worthwhile: 0, Asking(8), most: 2));
        Assert.Equal(1, ThreadPolicy.Threads(100, worthwhile: 0, default, most: 1));
        Assert.Equal(ThreadPolicy.MostEver, ThreadPolicy.Threads(Asking(int.MaxValue)));
        Assert.Equal(ThreadPolicy.MostEver, ThreadPolicy.Threads(100, worthwhile: 0, Asking(int.MaxValue)));
    }

    private static KernelOptions Asking(int threads) => new() { MaxDegreeOfParallelism = threads };
}
