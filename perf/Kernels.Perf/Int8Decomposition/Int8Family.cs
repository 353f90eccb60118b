namespace Kernels.Perf;

/// <summary>LLM.int8() in the verbs: which shapes, which rivals.</summary>
internal sealed class Int8Family : IFamilyBench
{
    // Inputs and outputs of Llama 7B's attention and feed-forward, and of GPT-2's feed-forward.
    private static readonly (int Inputs, int Outputs)[] s_layers = [(4096, 4096), (4096, 11008), (768, 3072)];

    private static readonly int[] s_rowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 512];

    private static readonly int[] s_fewRowCounts = [1, 8, 32, 128];

    // Of the first layer: what decomposition costs.
    private static readonly double[] s_outlierFractions = [0.001, 0.01];

    private static readonly int[] s_outlierRowCounts = [1, 32, 128];

    private readonly TorchInt8 _torch = new();

    public string Family => Int8Contenders.Family;

    public IReadOnlyList<string> Names => [Family, "int8"];

    public IReadOnlyList<RivalStatus> Rivals => [OpenBlas.Status, .. OneDnnInt8.Statuses, _torch.Status];

    // 33 workloads in some five minutes.
    public Effort FullEffort { get; } = new(MinRounds: 9, MaxRounds: 25, SecondsPerWorkload: 2, WarmUpSeconds: 0.5);

    public IEnumerable<WorkloadPlan> Showcase() =>
        Plans(s_layers[..1], s_fewRowCounts, [], (buffers, oracle) => Int8Contenders.Ours(buffers, oracle, ThreadCounts.OneAndAll));

    /// <summary>None: a file of logits holds no layer.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => Plans(
        quick ? s_layers[..1] : s_layers, quick ? s_fewRowCounts : s_rowCounts, quick ? s_outlierFractions[..1] : s_outlierFractions,
        (buffers, oracle) => Int8Contenders.Ours(buffers, oracle, threadCounts).Concat(Opened(buffers, oracle, threadCounts)));

    // A layer's weights live while its cases are asked for.
    private static IEnumerable<WorkloadPlan> Plans(
        (int Inputs, int Outputs)[] layers, int[] rowCounts, double[] outlierFractions, Func<Int8Buffers, ProductOracle, IEnumerable<IContender>> contenders)
    {
        foreach ((int inputs, int outputs) in layers)
        {
            using var weights = new Int8LayerWeights(inputs, outputs);
            IEnumerable<Int8Case> cases = rowCounts.Select(rows => new Int8Case(inputs, outputs, rows, 0));
            if ((inputs, outputs) == s_layers[0])
                cases = cases.Concat(from fraction in outlierFractions from rows in s_outlierRowCounts select new Int8Case(inputs, outputs, rows, fraction));
            foreach (Int8Case int8Case in cases)
                yield return new WorkloadPlan(int8Case.Name, () => new Int8Workload(int8Case, weights, contenders));
        }
    }

    private IEnumerable<IContender> Opened(Int8Buffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        foreach (int threads in threadCounts)
        {
            if (OpenBlas.Status.AbsentReason is null)
                yield return OpenBlasInt8.Open(buffers, oracle, threads);
            if (OneDnn.AbsentReason is null)
            {
                yield return OneDnnInt8.Open(buffers, threads, isSigned: false);
                yield return OneDnnInt8.Open(buffers, threads, isSigned: true);
            }
            if (_torch.Status.AbsentReason is null)
                yield return _torch.Open(buffers, oracle, threads);
        }
    }
}
