using Kernels.Core.Threading;

namespace Kernels.Tests;

/// <summary>The parallel runner: every item once, failures and cancellation passed on, no thread left behind, no dependence on a free thread pool.</summary>
public sealed unsafe class RangeRunnerTests
{
    private readonly struct CountJob(int* counts, int failAt) : IRangeJob
    {
        public void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                if (i == failAt)
                    throw new InvalidOperationException("item " + i);
                Interlocked.Increment(ref counts[i]);
            }
        }
    }

    [Theory]
    [InlineData(0, 1, 4)]
    [InlineData(1, 1, 4)]
    [InlineData(1000, 1, 2)]
    [InlineData(1000, 7, 3)]
    [InlineData(1000, 1000, 7)]
    [InlineData(1001, 500, 16)]
    public void EveryItemIsDoneOnce(int count, long grain, int threads)
    {
        var counts = new int[count + 1];
        for (int round = 1; round <= 50; round++)
        {
            fixed (int* pointer = counts)
                RangeRunner.Run(new CountJob(pointer, -1), count, grain, threads, default);
            Assert.All(counts[..count], seen => Assert.Equal(round, seen));
        }
        Assert.Equal(0, counts[count]);
    }

    [Fact]
    public void AFailureReachesTheCaller()
    {
        var counts = new int[1000];
        foreach (int threads in new[] { 1, 2, 5 })
        {
            fixed (int* pointer = counts)
            {
                int* pinned = pointer;
                Assert.Equal("item 600", Assert.Throws<InvalidOperationException>(() =>
                    RangeRunner.Run(new CountJob(pinned, 600), 1000, 10, threads, default)).Message);
                // The team is whole again.
                RangeRunner.Run(new CountJob(pinned, -1), 1000, 10, threads, default);
            }
        }
    }

    // The third block cancels; blocks that began beside it last until the token says so, so that nobody can begin a further one.
    private readonly struct CancelJob(int* blocks, nint source) : IRangeJob
    {
        public void Run(long begin, long end)
        {
            var cancellation = (CancellationTokenSource)System.Runtime.InteropServices.GCHandle.FromIntPtr(source).Target!;
            int block = Interlocked.Increment(ref *blocks);
            if (block == 3)
                cancellation.Cancel();
            else if (block > 3)
                cancellation.Token.WaitHandle.WaitOne();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void CancellationStopsBetweenBlocks(int threads)
    {
        using var source = new CancellationTokenSource();
        var handle = System.Runtime.InteropServices.GCHandle.Alloc(source);
        int blocks = 0;
        nint address = System.Runtime.InteropServices.GCHandle.ToIntPtr(handle);
        int* pointer = &blocks;
        Assert.Throws<OperationCanceledException>(() => RangeRunner.Run(new CancelJob(pointer, address), 1_000_000, 1, threads, source.Token));
        handle.Free();
        Assert.InRange(blocks, 3, 3 + threads - 1);
    }

    private readonly struct NestedJob(int* counts) : IRangeJob
    {
        public void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
                RangeRunner.Run(new CountJob(counts + 100 * i, -1), 100, 3, 4, default);
        }
    }

    [Fact]
    public void RunsNestInRuns()
    {
        // More blocks than pool threads, each waiting for a run of its own: must end even if the pool gives nobody.
        var counts = new int[6400];
        fixed (int* pointer = counts)
            RangeRunner.Run(new NestedJob(pointer), 64, 1, 32, default);
        Assert.All(counts, seen => Assert.Equal(1, seen));
    }
}
