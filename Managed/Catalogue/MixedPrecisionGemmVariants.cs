using Kernels.Core.Catalogue;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.MixedPrecisionGemm;

namespace Kernels.Managed;

/// <summary>
/// The variants of one type of activations and outputs, best first, for each arithmetic and each way of storing weights; zero points make no difference to
/// them.
/// </summary>
internal static class MixedPrecisionGemmVariants<T> where T : unmanaged
{
    private static readonly VariantTable<IMixedPrecisionGemmBackend<T>> s_int8OfFourBits = Int8(new(QuantizedType.U4)), s_int8OfEightBits =
        Int8(new(QuantizedType.U8));

    private static readonly VariantTable<IMixedPrecisionGemmBackend<T>> s_fourBits = Exact(new(QuantizedType.U4), s_int8OfFourBits),
        s_eightBits = Exact(new(QuantizedType.U8), s_int8OfEightBits),
        s_sparseFourBits = Exact(new(QuantizedType.U4, Sparsity: WeightSparsity.TwoOfFour)),
        s_sparseEightBits = Exact(new(QuantizedType.U8, Sparsity: WeightSparsity.TwoOfFour)),
        s_nf4 = Exact(new(QuantizedType.Nf4)),
        s_fp4 = Exact(new(QuantizedType.Fp4));

    /// <summary>All of them, as the catalogue lists them.</summary>
    public static VariantTable<IMixedPrecisionGemmBackend<T>>[] Tables =>
        [s_int8OfFourBits, s_int8OfEightBits, s_fourBits, s_eightBits, s_sparseFourBits, s_sparseEightBits, s_nf4, s_fp4];

    /// <summary>The table of an arithmetic that the format has.</summary>
    public static VariantTable<IMixedPrecisionGemmBackend<T>> Of(QuantizationFormat format, GemmArithmetic arithmetic) => format.Type switch
    {
        _ when arithmetic == GemmArithmetic.Int8Activations => format.IsEightBit ? s_int8OfEightBits : s_int8OfFourBits,
        QuantizedType.Nf4 => s_nf4,
        QuantizedType.Fp4 => s_fp4,
        _ when format.IsSparse => format.IsEightBit ? s_sparseEightBits : s_sparseFourBits,
        _ => format.IsEightBit ? s_eightBits : s_fourBits,
    };

    private static VariantTable<IMixedPrecisionGemmBackend<T>> Int8(QuantizationFormat format) =>
        new(MixedPrecisionGemmCpuVariants.Int8Of<T>(format), ForcedVariants.FromEnvironment, "int8");

    private static VariantTable<IMixedPrecisionGemmBackend<T>> Exact(QuantizationFormat format, VariantTable<IMixedPrecisionGemmBackend<T>>? int8 = null) =>
        new(MixedPrecisionGemmCpuVariants.ExactOf<T>(format), ForcedVariants.FromEnvironment, "exact", int8?.Variants);
}
