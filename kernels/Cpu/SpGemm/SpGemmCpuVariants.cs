using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.SpGemm;
using Kernels.Native.Library;

namespace Kernels.Cpu.SpGemm;

/// <summary>The managed variants: accumulators, of which each checks the others. The best one chooses among them for each row.</summary>
internal static class SpGemmCpuVariants
{
    /// <summary>The variants of one type of values, best first. All run everywhere.</summary>
    public static VariantEntry<ISpGemmBackend>[] Of<T>() where T : unmanaged, IEquatable<T>
    {
        var entries = new VariantEntries<ISpGemmBackend>("sp_gemm", TypeName.Of<T>(), NativeKernels.AbsenceOf);
        return
        [
            entries.Algorithm("hybrid", new SpGemmCpu(SpGemmAccumulator.Hybrid)),
            entries.Algorithm("dense", new SpGemmCpu(SpGemmAccumulator.Dense)),
            entries.Algorithm("hash", new SpGemmCpu(SpGemmAccumulator.Hash)),
            entries.Algorithm("bucket", new SpGemmCpu(SpGemmAccumulator.Bucket)),
        ];
    }
}
