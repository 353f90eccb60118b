namespace Kernels.Perf;

/// <summary>Recurrences in the verbs: which sizes, which rivals.</summary>
internal sealed class ParaRnnFamily : IFamilyBench
{
    public const string Word = "para_rnn";

    private static readonly int[] s_channels = [1, 2, 4, 8, 16, 32, 64, 512], s_steps = [256, 1024, 4096, 16_384, 65_536];

    private const int UsualSteps = 4096, UsualWidth = 64;

    // Each width at each length: half a gibibyte of states and gates is the most.
    private static readonly RnnBenchCase[] s_all =
    [
        .. from channels in s_channels from steps in s_steps select new RnnBenchCase(channels, steps),
        new(UsualWidth, UsualSteps, WithGradients: true), new(UsualWidth, 16_384, WithGradients: true),
    ];

    private static readonly RnnBenchCase[] s_quick =
    [
        .. from channels in new[] { 1, 8, 16, 32, 64, 512 } select new RnnBenchCase(channels, UsualSteps),
        new(1, 65_536), new(UsualWidth, UsualSteps, WithGradients: true),
    ];

    // The gates of a GRU of 64, 256 and 512 units for the steps of a few sequences.
    private static readonly ProjectionCase[] s_projections = [new(1024, 64, 192), new(1024, 256, 768), new(1024, 512, 1536)];

    private static readonly RnnBenchCase[] s_layers = [new(1, 65_536), new(512, 2048), new(512, 2048, WithGradients: true)];

    private readonly TorchRnn _torch = new();

    public string Family => Word;

    public IReadOnlyList<string> Names => [Word, "rnn"];

    public IReadOnlyList<RivalStatus> Rivals => [_torch.Status, OpenBlas.Status];

    // Some 45 workloads: meant to stay below four minutes.
    public Effort FullEffort { get; } = new(MinRounds: 7, MaxRounds: 31, SecondsPerWorkload: 0.8, WarmUpSeconds: 0.5);

    public IEnumerable<WorkloadPlan> Showcase() => s_layers.Select(shape => Plan(shape, ThreadCounts.OneAndAll, torch: null));

    /// <summary>Nothing: gate inputs have no file format of their own among those read.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) =>
        (quick ? s_quick : s_all).Select(shape => Plan(shape, threadCounts, _torch.Status.AbsentReason is null ? _torch : null))
            .Concat(s_projections.Select(projection => new WorkloadPlan(projection.Name, () => new ProjectionWorkload(projection, threadCounts))));

    private static WorkloadPlan Plan(RnnBenchCase shape, IReadOnlyList<int> threadCounts, TorchRnn? torch) =>
        new(shape.Name, () => new RnnWorkload(shape, threadCounts, torch));
}
