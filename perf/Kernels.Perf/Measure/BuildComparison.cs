namespace Kernels.Perf;

/// <summary>Our default variant of one workload, before (another build) and after (this one), in the same rounds.</summary>
/// <param name="Workload">The shape.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Before">Samples of the other build.</param>
/// <param name="After">Samples of this one.</param>
/// <param name="Cores">How many cores the threads had, see <see cref="ResultRow.Cores"/>.</param>
/// <param name="Held">Whether both results were within their tolerances.</param>
internal sealed record BuildRow(string Workload, int Threads, Timing Before, Timing After, double Cores, bool Held)
{
    /// <summary>How many times faster this build is.</summary>
    public PairedRatio Ratio { get; } = PairedRatio.Of(Before.Samples, After.Samples);

    public string RatioText => Cores >= ResultRow.LeastShareOfCores * Threads ? new Advantage(Ratio).ToString() : Advantage.WithoutCores(Cores);

    /// <summary>What the interval allows to say.</summary>
    public string Verdict => !Held ? "A CHECK FAILED" : Cores < ResultRow.LeastShareOfCores * Threads || !Ratio.IsMeasurable ? "cannot be told" : Ratio.Low > 1
        ? "faster" : Ratio.High < 1 ? "slower" : "no difference seen";
}

/// <summary>Times this build against another one, workload by workload.</summary>
internal sealed class BuildComparison(RoofBench roofs, Effort effort, ProgressLine progress)
{
    public IEnumerable<BuildRow> Run(IEnumerable<WorkloadPlan> own, IEnumerable<OtherPlan> other, string? workloads)
    {
        // Both list their workloads in order, and keep data alive between neighbours only.
        using IEnumerator<OtherPlan> others = other.GetEnumerator();
        foreach (WorkloadPlan plan in own)
        {
            while (others.MoveNext() && others.Current.Name != plan.Name)
                continue;
            if (workloads is not null && !plan.Name.Contains(workloads, StringComparison.OrdinalIgnoreCase))
                continue;
            progress.Say($"{plan.Name}, making data twice");
            using IWorkload after = plan.Open();
            using OtherWorkload before = others.Current.Open();
            foreach (BuildRow row in Run(plan.Name, before.Contenders, after.Contenders))
                yield return row;
        }
    }

    private List<BuildRow> Run(string workload, IReadOnlyList<IContender> before, IReadOnlyList<IContender> after)
    {
        (IContender Before, IContender After)[] pairs =
        [
            .. from own in after
               where own.IsDefault
               let other = before.FirstOrDefault(one => one.IsDefault && one.Threads == own.Threads)
               where other is not null
               select (other, own),
        ];
        if (pairs.Length == 0)
            return [];
        bool[] held = [.. pairs.Select(pair => Holds(pair.Before) && Holds(pair.After))];
        progress.Say($"{workload}, timing both in turn");
        var beside = new RoofSamples();
        Timing[] timings = InterleavedTimer.Run([.. pairs.SelectMany(pair => new[] { pair.Before, pair.After })], effort, () =>
            roofs.Sample([RoofKind.MultiplyAdd], beside));
        return [.. pairs.Select((pair, i) =>
            new BuildRow(workload, pair.After.Threads, timings[2 * i], timings[2 * i + 1], beside.Cores(pair.After.Threads), held[i]))];
    }

    private static bool Holds(IContender contender) => contender.LargestError() <= contender.Tolerance;
}
