namespace Kernels.Perf;

/// <summary>Linear cross-entropy in the verbs: which sizes, which rivals.</summary>
internal sealed class LinearCrossEntropyFamily : IFamilyBench
{
    public const string Word = "linear_cross_entropy";

    // One token's log-probability, a small batch, and blocks of training: the vocabularies of Llama 2 and 3.
    private static readonly LinearClassifierShape[] s_all = [new(1, 1024, 32_000), new(64, 1024, 32_000), new(1024, 1024, 32_000), new(1024, 256, 128_256)];

    private static readonly LinearClassifierShape[] s_quick = [new(1, 1024, 32_000), new(64, 256, 8192), new(512, 256, 8192)];

    public string Family => Word;

    public IReadOnlyList<string> Names => [Word, "lce"];

    public IReadOnlyList<RivalStatus> Rivals => [OpenBlas.Status];

    public IEnumerable<WorkloadPlan> Showcase() => s_quick.Select(shape => Plan(shape, ThreadCounts.OneAndAll, withRivals: false));

    /// <summary>Nothing: hidden states with weights and targets have no file format of their own among those read.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) =>
        (quick ? s_quick : s_all).Select(shape => Plan(shape, threadCounts, withRivals: true));

    private static WorkloadPlan Plan(LinearClassifierShape shape, IReadOnlyList<int> threadCounts, bool withRivals) => new(
        $"{shape.TokenCount} {(shape.TokenCount == 1 ? "token" : "tokens")} of {shape.Width}, {shape.VocabularySize} words",
        () => new LinearCrossEntropyWorkload(shape, threadCounts, withRivals));
}
