using Kernels.Cpu;

namespace Kernels;

/// <summary>The variants of one type of activations and outputs, best first, for each way of storing weights. Zero points make no difference to them.</summary>
internal static class MixedPrecisionGemmVariants<T> where T : unmanaged
{
    public static VariantTable<IMixedPrecisionGemmBackend<T>> FourBit { get; } = Table(QuantizedType.U4);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> EightBit { get; } = Table(QuantizedType.U8);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Nf4 { get; } = Table(QuantizedType.Nf4);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Fp4 { get; } = Table(QuantizedType.Fp4);

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Of(QuantizedType type) => type switch
    {
        QuantizedType.Nf4 => Nf4,
        QuantizedType.Fp4 => Fp4,
        QuantizedType.U8 or QuantizedType.U8ZeroPoint => EightBit,
        _ => FourBit,
    };

    private static VariantTable<IMixedPrecisionGemmBackend<T>> Table(QuantizedType type) => new(MixedPrecisionGemmCpuVariants.Of<T>(type), ForcedVariants.FromEnvironment);
}
