using Kernels.Core.Catalogue;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Int8Decomposition;

namespace Kernels.Managed;

/// <summary>The variants of one type of activations and outputs, best first.</summary>
internal static class Int8DecompositionVariants<T> where T : unmanaged
{
    public static VariantTable<IInt8DecompositionBackend<T>> Table { get; } = new(Int8DecompositionCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);
}
