using Kernels.Cpu;

namespace Kernels;

/// <summary>The variants of one type of activations and outputs, best first, for weights of four and of eight bits.</summary>
internal static class MixedPrecisionGemmVariants<T> where T : unmanaged
{
    public static VariantTable<IMixedPrecisionGemmBackend<T>> FourBit { get; } = new(MixedPrecisionGemmCpuVariants.Of<T>(isEightBit: false), ForcedVariants.FromEnvironment);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> EightBit { get; } = new(MixedPrecisionGemmCpuVariants.Of<T>(isEightBit: true), ForcedVariants.FromEnvironment);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Of(QuantizedType type) => type == QuantizedType.U8 ? EightBit : FourBit;
}
