using Kernels.Core.Catalogue;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Int8Decomposition;

namespace Kernels.Managed;

/// <summary>The variants of one type of activations and outputs, best first.</summary>
internal static class Int8DecompositionVariants<T> where T : unmanaged
{
    /// <summary>Products and their parts.</summary>
    public static VariantTable<IInt8DecompositionBackend<T>> Table { get; } = new(Int8DecompositionCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);

    /// <summary>Gradients, which are products of floats: nothing native, nothing of AVX-VNNI.</summary>
    public static VariantTable<IInt8GradientBackend<T>> Backward { get; } =
        new(Int8DecompositionCpuVariants.GradientsOf<T>(), ForcedVariants.FromEnvironment, "backward", Table.Variants);
}
