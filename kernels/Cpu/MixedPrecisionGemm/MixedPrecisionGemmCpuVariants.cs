using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.Elements;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The variants, for each of the two arithmetics. One driver serves all. Exact arithmetic is fused multiply-adds of floats: managed code by width of the
/// registers, since native code would be no faster. The order of the eight-bit ones was measured (docs/families/mixed_precision_gemm.md): the native avx512vnni
/// leads, since .NET has no 512-bit vpdpbusd; the managed avx512 comes before avxvnni, for a 512-bit vpmaddubsw with sums in 16 bits does as many products for
/// each instruction; elsewhere the managed one goes before the native one of the same instructions, which is no faster.
/// </summary>
internal static class MixedPrecisionGemmCpuVariants
{
    /// <summary>
    /// The variants of exact arithmetic for one type of activations and outputs and one way of storing weights, best first. The last one runs everywhere.
    /// </summary>
    public static VariantEntry<IMixedPrecisionGemmBackend<T>>[] ExactOf<T>(QuantizationFormat format) where T : unmanaged => format.Type switch
    {
        _ when format.IsSparse => format.IsEightBit ? Sparse<T, U8Weights>("u8sparse") : Sparse<T, U4Weights>("u4sparse"),
        QuantizedType.Nf4 => Exact<T, CodebookWeights<Nf4Codebook>>("nf4"),
        QuantizedType.Fp4 => Exact<T, CodebookWeights<Fp4Codebook>>("fp4"),
        QuantizedType.U8 or QuantizedType.U8ZeroPoint => Exact<T, U8Weights>("u8"),
        _ => Exact<T, U4Weights>("u4"),
    };

    /// <summary>Those of eight-bit arithmetic, which codebooks and 2:4 weights have not. The managed scalar one runs everywhere.</summary>
    public static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Int8Of<T>(QuantizationFormat format) where T : unmanaged =>
        format.IsEightBit ? Int8<T, U8Weights>("u8") : Int8<T, U4Weights>("u4");

    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Int8<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        VariantEntries<IMixedPrecisionGemmBackend<T>> entries = Entries<T>(weights);
        return
        [
            entries.Native<Avx512Vnni>(BackendOf<T, NativeGemmKernels<Avx512Vnni, TFormat>>()),
            entries.Managed<Avx512>(BackendOf<T, GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>>()),
            entries.Managed<AvxVnni>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotVnni, TFormat>>()),
            entries.Native<AvxVnni>(BackendOf<T, NativeGemmKernels<AvxVnni, TFormat>>()),
            entries.Managed<Avx2>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>>()),
            entries.Native<Avx2>(BackendOf<T, NativeGemmKernels<Avx2, TFormat>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Sse42>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Scalar>(BackendOf<T, GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>>()),
            entries.Native<Scalar>(BackendOf<T, NativeGemmKernels<Scalar, TFormat>>()),
        ];
    }

    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Exact<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        VariantEntries<IMixedPrecisionGemmBackend<T>> entries = Entries<T>(weights);
        return
        [
            entries.Managed<Avx512>(BackendOf<T, GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>>()),
            entries.Managed<Avx2>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Sse42>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Scalar>(BackendOf<T, GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>>()),
        ];
    }

    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Sparse<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        VariantEntries<IMixedPrecisionGemmBackend<T>> entries = Entries<T>(weights);
        return
        [
            entries.Managed<Avx512>(BackendOf<T, SparseGemmKernels<Vector512<int>, GemmSimd512, TFormat>>()),
            entries.Managed<Avx2>(BackendOf<T, SparseGemmKernels<Vector256<int>, GemmSimd256, TFormat>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, SparseGemmKernels<Vector128<int>, GemmSimd128, TFormat>>()),
            entries.Managed<Sse42>(BackendOf<T, SparseGemmKernels<Vector128<int>, GemmSimd128, TFormat>>()),
            entries.Managed<Scalar>(BackendOf<T, SparseGemmKernels<uint, GemmSimdScalar, TFormat>>()),
        ];
    }

    private static VariantEntries<IMixedPrecisionGemmBackend<T>> Entries<T>(string weights) where T : unmanaged =>
        new("mixed_precision_gemm", $"{TypeName.Of<T>()}_{weights}_{TypeName.Of<T>()}", NativeKernels.AbsenceOf);

    // The driver with these micro-kernels.
    private static IMixedPrecisionGemmBackend<T> BackendOf<T, TKernels>() where T : unmanaged where TKernels : struct, IGemmKernels
    {
        object backend =
            typeof(T) == typeof(float) ? new MixedPrecisionGemmCpu<float, ComputeStorage<float>, TKernels>() :
            typeof(T) == typeof(Half) ? new MixedPrecisionGemmCpu<Half, HalfStorage, TKernels>() :
            new MixedPrecisionGemmCpu<BrainFloat16, BFloat16Storage, TKernels>();
        return (IMixedPrecisionGemmBackend<T>)backend;
    }
}
