using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.Elements;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The variants. One driver serves all; managed ones differ in register width and integer dot product, native ones have the eight-bit product alone. Their order is what the eight-bit
/// arithmetic was measured to do (docs/families/mixed_precision_gemm.md): the native avx512vnni leads, since .NET has no 512-bit vpdpbusd; the managed avx512 comes before avxvnni, for a
/// 512-bit vpmaddubsw with sums in 16 bits does as many products for each instruction; elsewhere the managed one goes before the native one of the same instructions, which is no faster.
/// </summary>
internal static class MixedPrecisionGemmCpuVariants
{
    /// <summary>The variants for one type of activations and outputs and one way of storing weights, best first. The last one runs everywhere.</summary>
    public static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Of<T>(QuantizationFormat format) where T : unmanaged => format.Type switch
    {
        _ when format.IsSparse => format.IsEightBit ? Sparse<T, U8Weights>("u8sparse") : Sparse<T, U4Weights>("u4sparse"),
        QuantizedType.Nf4 => Codebooks<T, CodebookWeights<Nf4Codebook>>("nf4"),
        QuantizedType.Fp4 => Codebooks<T, CodebookWeights<Fp4Codebook>>("fp4"),
        QuantizedType.U8 or QuantizedType.U8ZeroPoint => Integers<T, U8Weights>("u8"),
        _ => Integers<T, U4Weights>("u4"),
    };

    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Integers<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        VariantEntries<IMixedPrecisionGemmBackend<T>> entries = Entries<T>(weights);
        return
        [
            entries.Native<Avx512Vnni, Avx512>(BackendOf<T, NativeGemmKernels<GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>, Avx512Vnni, TFormat>>()),
            entries.Managed<Avx512>(BackendOf<T, GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>>()),
            entries.Managed<AvxVnni>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotVnni, TFormat>>()),
            entries.Native<AvxVnni, AvxVnni>(BackendOf<T, NativeGemmKernels<GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>, AvxVnni, TFormat>>()),
            entries.Managed<Avx2>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>>()),
            entries.Native<Avx2, Avx2>(BackendOf<T, NativeGemmKernels<GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>, Avx2, TFormat>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Sse42>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Scalar>(BackendOf<T, GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>>()),
            entries.Native<Scalar>(BackendOf<T, NativeGemmKernels<GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>, Scalar, TFormat>>()),
        ];
    }

    // Codebooks have no eight-bit arithmetic, so nothing native.
    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Codebooks<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        VariantEntries<IMixedPrecisionGemmBackend<T>> entries = Entries<T>(weights);
        return
        [
            entries.Managed<Avx512>(BackendOf<T, GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>>()),
            entries.Managed<AvxVnni>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotVnni, TFormat>>()),
            entries.Managed<Avx2>(BackendOf<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Sse42>(BackendOf<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>()),
            entries.Managed<Scalar>(BackendOf<T, GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>>()),
        ];
    }

    // 2:4 weights are multiplied in float alone: no integer dot products, so nothing native and nothing that tells AVX-VNNI from AVX2.
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
        new("mixed_precision_gemm", $"{ElementToken.Of<T>()}_{weights}_{ElementToken.Of<T>()}", NativeKernels.AbsenceOf);

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
