namespace Kernels.Perf;

/// <summary>Mixed-precision GEMM in the verbs: which shapes, which rivals.</summary>
internal sealed class GemmFamily : IFamilyBench
{
    // Inputs and outputs of Llama 7B's attention and feed-forward, and of GPT-2's feed-forward.
    private static readonly (int Inputs, int Outputs)[] s_layers = [(4096, 4096), (4096, 11008), (768, 3072)];

    private static readonly int[] s_rowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 512];

    private static readonly int[] s_fewRowCounts = [1, 16, 128];

    public string Family => GemmContenders.Family;

    public IReadOnlyList<string> Names => [Family, "gemm"];

    public IReadOnlyList<RivalStatus> Rivals => [OpenBlas.Status, .. OneDnnGemm.Statuses];

    // 54 workloads in some five minutes.
    public Effort FullEffort { get; } = new(MinRounds: 9, MaxRounds: 25, SecondsPerWorkload: 1.5, WarmUpSeconds: 0.5);

    public IEnumerable<WorkloadPlan> Showcase() =>
        Plans(s_layers[..1], s_fewRowCounts, (buffers, oracle) => GemmContenders.Ours(buffers, oracle, ThreadCounts.OneAndAll));

    /// <summary>None: a file of logits holds no layer.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => Plans(
        quick ? s_layers[..1] : s_layers, quick ? s_fewRowCounts : s_rowCounts,
        (buffers, oracle) => GemmContenders.Ours(buffers, oracle, threadCounts).Concat(Opened(buffers, oracle, threadCounts)));

    // A layer's weights live while its cases are asked for.
    private static IEnumerable<WorkloadPlan> Plans((int Inputs, int Outputs)[] layers, int[] rowCounts,
        Func<GemmBuffers, ProductOracle, IEnumerable<IContender>> contenders)
    {
        foreach ((int inputs, int outputs) in layers)
        {
            using var weights = new GemmWeights(inputs, outputs);
            foreach (int rows in rowCounts)
            {
                foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
                {
                    var gemmCase = new GemmCase(inputs, outputs, rows, arithmetic);
                    yield return new WorkloadPlan(gemmCase.Name, () => new GemmWorkload(gemmCase, weights, contenders));
                }
            }
        }
    }

    private static IEnumerable<IContender> Opened(GemmBuffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        foreach (int threads in threadCounts)
        {
            if (OpenBlas.Status.AbsentReason is null)
                yield return OpenBlasGemm.Open(buffers, oracle, threads);
            foreach (IContender contender in OneDnnGemm.Open(buffers, oracle, threads))
                yield return contender;
        }
    }
}
