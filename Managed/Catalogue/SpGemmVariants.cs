using Kernels.Core.Catalogue;
using Kernels.Core.SpGemm;
using Kernels.Cpu.SpGemm;

namespace Kernels.Managed;

/// <summary>The sparse-product variants of one type of values, best first.</summary>
internal static class SpGemmVariants<T> where T : unmanaged, IEquatable<T>
{
    public static VariantTable<ISpGemmBackend> Table { get; } = new(SpGemmCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);
}
