namespace Kernels.Perf;

/// <summary>The families that have benchmarks.</summary>
internal static class Families
{
    public static IReadOnlyList<IFamilyBench> All { get; } = [new SoftmaxFamily(), new GemmFamily(), new Int8Family(), new AttentionFamily(), new SpGemmFamily(), new ParaRnnFamily(), new TensorBleuFamily()];
}
