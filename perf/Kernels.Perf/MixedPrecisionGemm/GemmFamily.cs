namespace Kernels.Perf;

/// <summary>Mixed-precision GEMM in the verbs: which shapes, which rivals.</summary>
internal sealed class GemmFamily : IFamilyBench
{
    // Inputs and outputs of Llama 7B's attention and feed-forward, and of GPT-2's feed-forward.
    private static readonly (int Inputs, int Outputs)[] s_layers = [(4096, 4096), (4096, 11008), (768, 3072)];

    private static readonly int[] s_rowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 512];

    private static readonly int[] s_showcaseRowCounts = [1, 128];

    public string Family => GemmContenders.Family;

    public IReadOnlyList<RivalStatus> Rivals => [OpenBlasGemm.Status];

    public IEnumerable<WorkloadPlan> Showcase() =>
        from rows in s_showcaseRowCounts
        from arithmetic in Enum.GetValues<GemmArithmetic>()
        select Plan(new GemmCase(s_layers[0].Inputs, s_layers[0].Outputs, rows, arithmetic), (buffers, oracle) => GemmContenders.Ours(buffers, oracle, ThreadCounts.OneAndAll));

    /// <summary>None: a file of logits holds no layer.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts) =>
        from layer in s_layers
        from rows in s_rowCounts
        from arithmetic in Enum.GetValues<GemmArithmetic>()
        select Plan(new GemmCase(layer.Inputs, layer.Outputs, rows, arithmetic), (buffers, oracle) => GemmContenders.Ours(buffers, oracle, threadCounts).Concat(Opened(buffers, oracle, threadCounts)));

    private static WorkloadPlan Plan(GemmCase gemmCase, Func<GemmBuffers, GemmOracle, IEnumerable<IContender>> contenders) =>
        new(gemmCase.Name, () => new GemmWorkload(gemmCase, contenders));

    private static IEnumerable<IContender> Opened(GemmBuffers buffers, GemmOracle oracle, IReadOnlyList<int> threadCounts) =>
        OpenBlasGemm.Status.AbsentReason is null ? threadCounts.Select(threads => OpenBlasGemm.Open(buffers, oracle, threads)) : [];
}
