namespace Kernels.Perf;

/// <summary>Opens workloads one after another, checks every contender against the oracle, times them and makes rows of it.</summary>
internal sealed class FamilyMeasurement(RoofBench roofs, Effort effort, ProgressLine progress, string? filter = null, string? workloads = null)
{
    public IEnumerable<ResultRow> Run(string family, IEnumerable<WorkloadPlan> plans)
    {
        foreach (WorkloadPlan plan in plans)
        {
            if (workloads is not null && !plan.Name.Contains(workloads, StringComparison.OrdinalIgnoreCase))
                continue;
            progress.Say($"{family}: {plan.Name}, making data");
            using IWorkload workload = plan.Open();
            IContender[] contenders = [.. workload.Contenders.Where(contender => Wanted(contender, plan))];
            foreach (ResultRow row in Run(family, plan, workload, contenders))
                yield return row;
        }
    }

    private bool Wanted(IContender contender, WorkloadPlan plan) =>
        filter is null || $"{contender.Identity} {plan.Name}".Contains(filter, StringComparison.OrdinalIgnoreCase);

    private ResultRow[] Run(string family, WorkloadPlan plan, IWorkload workload, IContender[] contenders)
    {
        var errors = new double[contenders.Length];
        for (int i = 0; i < contenders.Length; i++)
        {
            progress.Say($"{family}: {plan.Name}, checking {contenders[i].Identity}");
            errors[i] = contenders[i].LargestError();
        }
        progress.Say($"{family}: {plan.Name}, timing {contenders.Length} contenders");
        var beside = new RoofSamples();
        Timing[] timings = contenders.Length == 0
            ? []
            : InterleavedTimer.Run(contenders, effort, () => roofs.Sample(RoofsOf(workload), beside));
        return [.. contenders.Select((contender, i) => Row(family, plan, workload, contender, timings[i], errors[i], beside))];
    }

    // The multiply-adds show whether the threads had cores of their own.
    private static IReadOnlyList<RoofKind> RoofsOf(IWorkload workload) => [.. workload.Roofs.Append(RoofKind.MultiplyAdd).Distinct()];

    private static ResultRow Row(
        string family, WorkloadPlan plan, IWorkload workload, IContender contender, Timing timing, double error, RoofSamples beside) =>
        new(family, contender.Identity, plan.Name, contender.Threads, timing, workload.WorkPerCall / timing.Median / 1e9, workload.Unit,
            100 * workload.RoofSeconds(beside, contender.Threads) / timing.Median, error, error <= contender.Tolerance, contender.IsDefault,
            contender.SolvesTheSameProblem, workload.Recorded)
        {
            Cores = beside.Cores(contender.Threads),
        };
}
