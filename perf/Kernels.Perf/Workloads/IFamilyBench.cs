namespace Kernels.Perf;

/// <summary>What a family gives to the verbs: one class for each family, which <see cref="Families"/> finds.</summary>
internal interface IFamilyBench
{
    /// <summary>The family's word, as in the catalogue.</summary>
    string Family { get; }

    /// <summary>The words by which the command line knows the family.</summary>
    IReadOnlyList<string> Names => [Family];

    /// <summary>Workloads shaped like a real model's, on every variant that this machine can run; together about half a minute.</summary>
    IEnumerable<WorkloadPlan> Showcase();

    /// <summary>The same on the user's own data.</summary>
    /// <exception cref="InputFormatException">The file cannot be read as this family's input.</exception>
    IEnumerable<WorkloadPlan> FromFile(string path);

    /// <summary>The shapes on which rivals are met; if quick, so few that they take less than a minute.</summary>
    IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick);

    /// <summary>How long <c>compare</c> measures each workload unless it is to be quick.</summary>
    Effort FullEffort => Effort.Full;

    /// <summary>Every rival known, with the reason if it is not on this machine.</summary>
    IReadOnlyList<RivalStatus> Rivals { get; }
}

/// <summary>A rival and, unless it can run here, why not.</summary>
/// <param name="Identity">See <see cref="IContender.Identity"/>; of all contenders whose identity begins so.</param>
/// <param name="Version">Its version, and the kernels that it runs.</param>
/// <param name="AbsentReason">Why it cannot run.</param>
internal sealed record RivalStatus(string Identity, string Version, string? AbsentReason)
{
    /// <summary>What keeps it from better instructions that the same release has, if anything does: it is shown, and left out of means.</summary>
    public string? HeldBack { get; init; }

    /// <summary>All of it in words.</summary>
    public string Text => AbsentReason ?? (HeldBack is null ? Version : $"{Version}; held back: {HeldBack}");
}

/// <summary>A workload that is not in memory yet.</summary>
internal sealed record WorkloadPlan(string Name, Func<IWorkload> Open);

/// <summary>A problem with its data, and everything that can solve it.</summary>
internal interface IWorkload : IDisposable
{
    IReadOnlyList<IContender> Contenders { get; }

    /// <summary>Bytes that must move or floating-point operations that must be done in one call, by the definition in docs/benchmarking.md.</summary>
    double WorkPerCall { get; }

    /// <summary>
    /// <c>GB/s</c>, <c>GFLOP/s</c> (<c>GOP/s</c> where the operations are integer ones), or a thousand millionth of what <see cref="WorkPerCall"/> counts, each
    /// second.
    /// </summary>
    string Unit { get; }

    /// <summary>The roofs that bound it.</summary>
    IReadOnlyList<RoofKind> Roofs { get; }

    /// <summary>The shortest time of one call that these roofs allow, as they were measured in the same rounds.</summary>
    double RoofSeconds(RoofSamples roofs, int threads);

    /// <summary>How the best variant's result compares with results recorded in the input file; null where it holds none.</summary>
    RecordedComparison? Recorded { get; }
}

/// <summary>The largest absolute difference to results that came with the input, and the largest that counts as reproduced.</summary>
internal sealed record RecordedComparison(double LargestDifference, double Tolerance)
{
    public bool Held => LargestDifference <= Tolerance;
}
