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

    // A thread woken after the pause was seen to begin up to 2.9 ms late: calls of this long together, untimed, have every contender's threads awake and its
    // data where repeated calls leave them.
    private const double WarmSeconds = 5e-3;

    // The first turn touches pages and compiles, the second shows a time to count on.
    private const int MinimumWarmUpTurns = 2;

    // Worker threads of OpenMP (libgomp) were seen to spin for 4 to 8.3 milliseconds after their work; they would take the next contender's core.
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(10);

    private const int OrderSeed = 1;

    /// <param name="contenders">At least one.</param>
    /// <param name="effort">How long.</param>
    /// <param name="beside">Runs once in every round.</param>
    public static Timing[] Run(IReadOnlyList<IContender> contenders, Effort effort, Action beside)
    {
        double[] single = WarmUp(contenders, effort.WarmUpSeconds);
        int[] calls = [.. single.Select(seconds => CallsThatTake(MinimumSampleSeconds, seconds))],
            warmCalls = [.. single.Select(seconds => CallsThatTake(WarmSeconds, seconds))];
        double round = contenders.Select((_, i) => single[i] * (warmCalls[i] + calls[i])).Sum();
        int rounds = (int)Math.Clamp(effort.SecondsPerWorkload / round, effort.MinRounds, effort.MaxRounds);
        double[][] samples = [.. contenders.Select(_ => new double[rounds])];
        var order = new Random(OrderSeed);
        int[] turns = [.. Enumerable.Range(0, contenders.Count)];
        for (int r = 0; r < rounds; r++)
        {
            beside();
            order.Shuffle(turns);
            foreach (int i in turns)
            {
                Thread.Sleep(s_settle);
                contenders[i].Time(warmCalls[i]);
                samples[i][r] = contenders[i].Time(calls[i]) / calls[i];
            }
        }
        return [.. samples.Select(own => new Timing(own))];
    }

    // At least one. A call that takes no time at all is a clock's fault.
    private static int CallsThatTake(double seconds, double oneCall) => (int)Math.Ceiling(seconds / Math.Max(oneCall, 1e-7));

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
