using Kernels.Core.Catalogue;
using Kernels.Core.LinearCrossEntropy;
using Kernels.Cpu.LinearCrossEntropy;

namespace Kernels.Managed;

/// <summary>The variants of the linear cross-entropy, best first.</summary>
internal static class LinearCrossEntropyVariants
{
    public static VariantTable<ILinearCrossEntropyBackend> Table { get; } = new(LinearCrossEntropyCpuVariants.All, ForcedVariants.FromEnvironment);
}
