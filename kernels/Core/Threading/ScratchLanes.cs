using System.Numerics;

namespace Kernels.Core.Threading;

/// <summary>Equal pieces of scratch memory, of which each running thread takes one at a time; for jobs.</summary>
/// <param name="free">One bit for each lane that nobody has; all set at first.</param>
/// <param name="memory">The first lane.</param>
/// <param name="laneBytes">The size of a lane.</param>
internal readonly unsafe struct ScratchLanes(ulong* free, byte* memory, long laneBytes)
{
    /// <summary>The most lanes, and so threads: one bit each.</summary>
    public const int MaxCount = 64;

    private readonly ulong* _free = free;
    private readonly byte* _memory = memory;
    private readonly long _laneBytes = laneBytes;

    /// <summary>The bits of this many free lanes.</summary>
    public static ulong AllFree(int count) => count == MaxCount ? ulong.MaxValue : (1UL << count) - 1;

    /// <summary>A lane that nobody else has. There are as many as threads, so one is free.</summary>
    public byte* Take(out int lane)
    {
        var wait = new SpinWait();
        while (true)
        {
            ulong seen = Volatile.Read(ref *_free);
            if (seen != 0)
            {
                lane = BitOperations.TrailingZeroCount(seen);
                if (Interlocked.CompareExchange(ref *_free, seen & (seen - 1), seen) == seen)
                    return _memory + lane * _laneBytes;
            }
            wait.SpinOnce();
        }
    }

    public void Return(int lane) => Interlocked.Or(ref *_free, 1UL << lane);
}
