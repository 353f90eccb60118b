using System.Diagnostics;

namespace Kernels.Perf;

/// <summary>
/// Times contenders against each other: round after round, every contender gives one sample, so that a machine that grows slower or faster meanwhile
/// does so for all of them. Each round has another order, so that none always follows the same one, whose threads may not be at rest yet.
/// </summary>
internal static class InterleavedTimer
{
    // Stopwatch ticks are 1 ns to 100 ns, a call to it and the loop around some 50 ns: in 2 ms both vanish.
    private const double MinimumSampleSeconds = 2e-3;

    // The first turn touches pages and compiles, the second shows a time to count on.
    private const int MinimumWarmUpTurns = 2;

    // Worker threads of OpenMP (libgomp) were seen to spin for 4 to 8.3 milliseconds after their work; they would take the next contender's core.
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(10);

    private const int OrderSeed = 1;

    /// <param name="contenders">At least one.</param>
    /// <param name="effort">How long.</param>
    /// <param name="inCache">Whether a sample begins with an untimed call, which brings the data back into the cache.</param>
    /// <param name="beside">Runs once in every round.</param>
    public static Timing[] Run(IReadOnlyList<IContender> contenders, Effort effort, bool inCache, Action beside)
    {
        double[] single = WarmUp(contenders, effort.WarmUpSeconds);
        int[] calls = [.. single.Select(seconds => (int)Math.Ceiling(MinimumSampleSeconds / Math.Max(seconds, 1e-7)))];
        double round = contenders.Select((_, i) => single[i] * calls[i]).Sum();
        int rounds = (int)Math.Clamp(effort.SecondsPerWorkload / round, effort.MinRounds, effort.MaxRounds);
        var samples = new double[contenders.Count, rounds];
        var order = new Random(OrderSeed);
        int[] turns = [.. Enumerable.Range(0, contenders.Count)];
        for (int r = 0; r < rounds; r++)
        {
            beside();
            order.Shuffle(turns);
            foreach (int i in turns)
            {
                Thread.Sleep(s_settle);
                if (inCache)
                    contenders[i].Time(1);
                samples[i, r] = contenders[i].Time(calls[i]) / calls[i];
            }
        }
        return [.. contenders.Select((_, i) => Timing.Of(Enumerable.Range(0, rounds).Select(r => samples[i, r])))];
    }

    // The seconds of one warm call of each. All take turns, since the JIT improves a method in two steps, each after 30 calls.
    private static double[] WarmUp(IReadOnlyList<IContender> contenders, double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        var single = new double[contenders.Count];
        int turns = 0;
        while (turns < MinimumWarmUpTurns || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            for (int i = 0; i < single.Length; i++)
                single[i] = contenders[i].Time(1);
            turns++;
        }
        return single;
    }
}
