using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.MixedPrecisionGemm;
using Kernels.Native.Library;
using Kernels.Native.MixedPrecisionGemm;

namespace Kernels.Managed;

/// <summary>
/// The variants of one type of activations and outputs, best first, for each way of storing weights; zero points make no difference to them. Their order is what
/// the eight-bit arithmetic was measured to do (docs/families/mixed_precision_gemm.md): the native avx512vnni leads, since .NET has no 512-bit vpdpbusd; elsewhere
/// the managed one goes before the native one of the same instructions, which is no faster. The scalar ones come last; of these the managed one runs anywhere.
/// </summary>
internal static class MixedPrecisionGemmVariants<T> where T : unmanaged
{
    private static readonly string[] s_instructionSets = ["avx512vnni", "avx512", "avxvnni", "avx2", "advsimd", "sse42", "scalar"];

    public static VariantTable<IMixedPrecisionGemmBackend<T>> FourBit { get; } = Table<U4Weights>("u4", new(QuantizedType.U4));

    public static VariantTable<IMixedPrecisionGemmBackend<T>> EightBit { get; } = Table<U8Weights>("u8", new(QuantizedType.U8));

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

    // Codebooks and 2:4 weights have no eight-bit arithmetic, so nothing native.
    private static VariantTable<IMixedPrecisionGemmBackend<T>> Table(QuantizationFormat format) => new(MixedPrecisionGemmCpuVariants.Of<T>(format), ForcedVariants.FromEnvironment);

    // The sort is stable: of equal instruction sets the managed variant stays before the native one.
    private static VariantTable<IMixedPrecisionGemmBackend<T>> Table<TFormat>(string weights, QuantizationFormat format) where TFormat : struct, IWeightFormat
    {
        VariantEntry<IMixedPrecisionGemmBackend<T>>[] managed = MixedPrecisionGemmCpuVariants.Of<T>(format);
        return new(managed.Concat(Native<TFormat>(weights, managed)).OrderBy(entry => Array.IndexOf(s_instructionSets, entry.Variant.InstructionSet)), ForcedVariants.FromEnvironment);
    }

    private static IEnumerable<VariantEntry<IMixedPrecisionGemmBackend<T>>> Native<TFormat>(string weights, VariantEntry<IMixedPrecisionGemmBackend<T>>[] managed)
        where TFormat : struct, IWeightFormat
    {
        string types = $"{ElementToken.Of<T>()}_{weights}_{ElementToken.Of<T>()}";
        return
        [
            Entry<GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>, Avx512Vnni>("avx512vnni", "avx512"),
            Entry<GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>, AvxVnni>("avxvnni", "avxvnni"),
            Entry<GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>, Avx2>("avx2", "avx2"),
            Entry<GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>, Scalar>("scalar", "scalar"),
        ];

        // Exact arithmetic is the managed kernels': where the runtime's settings turn those of the same instructions off, the native variant is off as well.
        VariantEntry<IMixedPrecisionGemmBackend<T>> Entry<TExact, TIsa>(string instructionSet, string sameInstructions) where TExact : struct, IGemmKernels where TIsa : struct, INativeGemmIsa
        {
            string needed = Array.Find(managed, entry => entry.Variant.InstructionSet == sameInstructions).Variant.Reason;
            KernelVariant variant = MixedPrecisionGemmNativeVariants.Describe(types, instructionSet, TIsa.Isa, needed);
            return new(variant, MixedPrecisionGemmCpuVariants.BackendOf<T, NativeGemmKernels<TExact, TIsa, TFormat>>());
        }
    }

    private readonly struct Avx512Vnni : INativeGemmIsa { public static NativeIsa Isa => NativeIsa.Avx512Vnni; }

    private readonly struct AvxVnni : INativeGemmIsa { public static NativeIsa Isa => NativeIsa.AvxVnni; }

    private readonly struct Avx2 : INativeGemmIsa { public static NativeIsa Isa => NativeIsa.Avx2; }

    private readonly struct Scalar : INativeGemmIsa { public static NativeIsa Isa => NativeIsa.Scalar; }
}
