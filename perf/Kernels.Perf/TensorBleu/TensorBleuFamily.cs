namespace Kernels.Perf;

/// <summary>BLEU in the verbs: which batches, which rivals.</summary>
internal sealed class TensorBleuFamily : IFamilyBench
{
    public const string Word = "tensor_bleu";

    private const int SmallVocabulary = 50, UsualVocabulary = 32_000, LargeVocabulary = 128_000;
    private const double Few = 0.1, Usual = 0.3, Most = 0.9;

    private static readonly int[] s_lengths = [64, 256, 1024], s_batches = [1, 32, 256, 512],
        s_vocabularies = [SmallVocabulary, UsualVocabulary, LargeVocabulary];

    // The paper's lengths, then one dimension at a time around 32 sentences of 256 tokens.
    private static readonly BleuCase[] s_quick =
    [
        new(32, 64, UsualVocabulary, 1, Usual), new(32, 256, UsualVocabulary, 1, Usual), new(32, 1024, UsualVocabulary, 1, Usual),
        new(1, 256, UsualVocabulary, 1, Usual), new(512, 256, UsualVocabulary, 1, Usual), new(32, 256, SmallVocabulary, 1, Usual),
            new(32, 256, UsualVocabulary, 4, Usual),
    ];

    // Lengths, batches and vocabularies all with each other; then lengths, references and mutation, those that are not there yet.
    private static readonly BleuCase[] s_all =
    [
        .. from length in s_lengths from batch in s_batches from vocabulary in s_vocabularies select new BleuCase(batch, length, vocabulary, 1, Usual),
        .. from length in s_lengths from references in new[] { 1, 4 } from mutation in new[] { Few, Usual, Most }
           where references > 1 || mutation != Usual select new BleuCase(32, length, UsualVocabulary, references, mutation),
        .. from length in s_lengths select new BleuCase(32, length, SmallVocabulary, 4, Usual),
    ];

    private static readonly BleuCase[] s_rewards = [new(256, 256, LargeVocabulary, 1, Usual), new(64, 1024, LargeVocabulary, 4, Usual)];

    // Fractions against doubles; sums of logarithms in float32.
    private const double DoubleTolerance = 1e-12, SingleTolerance = 1e-5;

    private readonly PythonBleu[] _rivals =
    [
        new("rival/nltk", "nltk_bleu.py", "no Python interpreter with NLTK (Debian: python3-nltk)", DoubleTolerance, usesTorch: false, isPerSentence: true),
        new("rival/sacrebleu", "sacrebleu_bleu.py", "no Python interpreter with sacreBLEU (PyPI: sacrebleu; Debian has none)", DoubleTolerance,
            usesTorch: false, isPerSentence: true),
        new("rival/tensorbleu-torch", "torch_bleu.py", "no Python interpreter with torch (Debian: python3-torch)", SingleTolerance, usesTorch: true,
            isPerSentence: false),
    ];

    public string Family => Word;

    public IReadOnlyList<string> Names => [Word, "bleu"];

    /// <summary>More than fifty workloads in eight minutes.</summary>
    public Effort FullEffort { get; } = new(MinRounds: 7, MaxRounds: 101, SecondsPerWorkload: 3, WarmUpSeconds: 1);

    public IReadOnlyList<RivalStatus> Rivals => [.. _rivals.Select(rival => rival.Status)];

    public IEnumerable<WorkloadPlan> Showcase() => s_rewards.Select(shape => Plan(shape, ThreadCounts.OneAndAll, []));

    /// <summary>Nothing: token ids have no file format of their own among those read.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => Plans(quick ? s_quick : s_all, threadCounts);

    private IEnumerable<WorkloadPlan> Plans(BleuCase[] shapes, IReadOnlyList<int> threadCounts) =>
        shapes.Select(shape => Plan(shape, threadCounts, _rivals));

    private static WorkloadPlan Plan(BleuCase shape, IReadOnlyList<int> threadCounts, PythonBleu[] rivals) =>
        new(shape.Name, () => new BleuWorkload(shape, threadCounts, rivals));
}
