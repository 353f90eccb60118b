namespace Kernels.Tests;

/// <summary>
/// Seeded problems of every family: shapes at tile edges, types, options, special values. A seed and a variant make the same problem and the same bits
/// everywhere; sizes stay below what a cache's size decides.
/// </summary>
internal static class SeededProblems
{
    /// <summary>Runs the problem of a seed with a variant and adds its results to the hash.</summary>
    public delegate void Runner(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results);

    private static readonly Dictionary<string, Runner> s_families = new()
    {
        ["softmax"] = SoftmaxProblems.Run,
        ["mixed_precision_gemm"] = MixedPrecisionGemmProblems.Run,
        ["int8_decomposition"] = Int8DecompositionProblems.Run,
        ["sparse_attention"] = SparseAttentionProblems.Run,
        ["sp_gemm"] = SpGemmProblems.Run,
        ["para_rnn"] = ParaRnnProblems.Run,
        ["tensor_bleu"] = TensorBleuProblems.Run,
        ["linear_cross_entropy"] = LinearCrossEntropyProblems.Run,
    };

    public static Runner Of(string family) => s_families[family];
}
