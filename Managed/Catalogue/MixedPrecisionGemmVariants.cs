using Kernels.Core.Catalogue;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.MixedPrecisionGemm;

namespace Kernels.Managed;

/// <summary>The variants of one type of activations and outputs, best first, for each way of storing weights; zero points make no difference to them.</summary>
internal static class MixedPrecisionGemmVariants<T> where T : unmanaged
{
    public static VariantTable<IMixedPrecisionGemmBackend<T>> FourBit { get; } = Table(new(QuantizedType.U4));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> EightBit { get; } = Table(new(QuantizedType.U8));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> SparseFourBit { get; } = Table(new(QuantizedType.U4, Sparsity: WeightSparsity.TwoOfFour));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> SparseEightBit { get; } = Table(new(QuantizedType.U8, Sparsity: WeightSparsity.TwoOfFour));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Nf4 { get; } = Table(new(QuantizedType.Nf4));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Fp4 { get; } = Table(new(QuantizedType.Fp4));

    /// <summary>All of them, as the catalogue lists them.</summary>
    public static VariantTable<IMixedPrecisionGemmBackend<T>>[] Tables => [FourBit, EightBit, SparseFourBit, SparseEightBit, Nf4, Fp4];

    public static VariantTable<IMixedPrecisionGemmBackend<T>> Of(QuantizationFormat format) => format.Type switch
    {
        QuantizedType.Nf4 => Nf4,
        QuantizedType.Fp4 => Fp4,
        _ when format.IsSparse => format.IsEightBit ? SparseEightBit : SparseFourBit,
        _ => format.IsEightBit ? EightBit : FourBit,
    };

    private static VariantTable<IMixedPrecisionGemmBackend<T>> Table(QuantizationFormat format) => new(MixedPrecisionGemmCpuVariants.Of<T>(format), ForcedVariants.FromEnvironment);
}
