using Kernels.Core.Catalogue;
using Kernels.Core.SpGemm;

namespace Kernels.Cpu.SpGemm;

/// <summary>The managed variants: accumulators, of which each checks the others. The best one chooses among them for each row.</summary>
internal static class SpGemmCpuVariants
{
    private const string Family = "sp_gemm", Backend = "cpu";

    /// <summary>The variants of one type of values, best first. All run everywhere.</summary>
    public static VariantEntry<ISpGemmBackend>[] Of<T>() where T : unmanaged, IEquatable<T> =>
    [
        Entry<T>("hybrid", SpGemmAccumulator.Hybrid),
        Entry<T>("dense", SpGemmAccumulator.Dense),
        Entry<T>("hash", SpGemmAccumulator.Hash),
        Entry<T>("bucket", SpGemmAccumulator.Bucket),
    ];

    private static VariantEntry<ISpGemmBackend> Entry<T>(string algorithm, SpGemmAccumulator accumulator) =>
        new(new KernelVariant(Family, SparseElement.Token<T>(), Backend, algorithm, VariantAvailability.Available, ""), new SpGemmCpu(accumulator));
}
