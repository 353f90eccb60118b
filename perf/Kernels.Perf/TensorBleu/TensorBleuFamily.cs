namespace Kernels.Perf;

/// <summary>BLEU in the verbs: which batches, which rivals.</summary>
internal sealed class TensorBleuFamily : IFamilyBench
{
    public const string Word = "tensor_bleu";

    private const int SmallVocabulary = 50, UsualVocabulary = 32_000, LargeVocabulary = 128_000;
    private const double Few = 0.1, Usual = 0.3, Most = 0.9;

    // The paper's lengths, then one dimension at a time around 32 sentences of 256 tokens.
    private static readonly BleuCase[] s_quick =
    [
        new(32, 64, UsualVocabulary, 1, Usual), new(32, 256, UsualVocabulary, 1, Usual), new(32, 1024, UsualVocabulary, 1, Usual),
        new(1, 256, UsualVocabulary, 1, Usual), new(32, 256, SmallVocabulary, 1, Usual), new(32, 256, UsualVocabulary, 4, Usual),
    ];

    private static readonly BleuCase[] s_all =
    [
        .. from length in new[] { 64, 256, 1024 } from batch in new[] { 1, 32, 256 } select new BleuCase(batch, length, UsualVocabulary, 1, Usual),
        new(512, 256, UsualVocabulary, 1, Usual),
        .. from vocabulary in new[] { SmallVocabulary, LargeVocabulary } from length in new[] { 64, 1024 } select new BleuCase(32, length, vocabulary, 1, Usual),
        .. from length in new[] { 64, 256, 1024 } select new BleuCase(32, length, UsualVocabulary, 4, Usual),
        .. from mutation in new[] { Few, Most } from length in new[] { 64, 256, 1024 } select new BleuCase(32, length, UsualVocabulary, 1, mutation),
    ];

    private static readonly BleuCase[] s_rewards = [new(256, 256, LargeVocabulary, 1, Usual), new(64, 1024, LargeVocabulary, 4, Usual)];

    private readonly NltkBleu _nltk = new();

    public string Family => Word;

    public IReadOnlyList<string> Names => [Word, "bleu"];

    public IReadOnlyList<RivalStatus> Rivals => [_nltk.Status];

    public IEnumerable<WorkloadPlan> Showcase() => s_rewards.Select(shape => Plan(shape, ThreadCounts.OneAndAll, nltk: null));

    /// <summary>Nothing: token ids have no file format of their own among those read.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => Plans(quick ? s_quick : s_all, threadCounts);

    private IEnumerable<WorkloadPlan> Plans(BleuCase[] shapes, IReadOnlyList<int> threadCounts) =>
        shapes.Select(shape => Plan(shape, threadCounts, _nltk.Status.AbsentReason is null ? _nltk : null));

    private static WorkloadPlan Plan(BleuCase shape, IReadOnlyList<int> threadCounts, NltkBleu? nltk) =>
        new(shape.Name, () => new BleuWorkload(shape, threadCounts, nltk));
}
