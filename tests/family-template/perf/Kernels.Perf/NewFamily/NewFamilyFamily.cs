namespace Kernels.Perf;

/// <summary>The family in the verbs: which sizes, which rivals.</summary>
internal sealed class NewFamilyFamily : IFamilyBench
{
    public const string Word = "new_family";

    private static readonly (int Rows, int Width)[] s_shapes = [(1, 1024), (128, 1000)];

    public string Family => Word;

    public IReadOnlyList<RivalStatus> Rivals => [];

    public IEnumerable<WorkloadPlan> Showcase() => Compare(ThreadCounts.OneAndAll, quick: true);

    /// <summary>Nothing: to be read from files where the family's inputs have a format.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) =>
        s_shapes.Select(shape => new WorkloadPlan($"{shape.Rows} x {shape.Width}", () => new NewFamilyWorkload(shape.Rows, shape.Width, threadCounts)));
}
