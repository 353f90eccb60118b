using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The managed variants. One body serves all; they differ in register width and integer dot product. AVX-512 comes first although .NET offers its VNNI only on
/// 256 bits: a 512-bit vpmaddubsw with sums in 16 bits does as many products for each instruction.
/// </summary>
internal static class MixedPrecisionGemmCpuVariants
{
    private const string Family = "mixed_precision_gemm", Backend = "cpu";

    /// <summary>The variants for one type of activations and outputs and one way of storing weights, best first. The last one runs everywhere.</summary>
    public static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Of<T>(QuantizationFormat format) where T : unmanaged => format.Type switch
    {
        _ when format.IsSparse => format.IsEightBit ? Sparse<T, U8Weights>("u8sparse") : Sparse<T, U4Weights>("u4sparse"),
        QuantizedType.Nf4 => Of<T, CodebookWeights<Nf4Codebook>>("nf4"),
        QuantizedType.Fp4 => Of<T, CodebookWeights<Fp4Codebook>>("fp4"),
        QuantizedType.U8 or QuantizedType.U8ZeroPoint => Of<T, U8Weights>("u8"),
        _ => Of<T, U4Weights>("u4"),
    };

    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Of<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        string types = Types<T>(weights);
        bool avx512 = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, avx2 = Avx2.IsSupported && Fma.IsSupported;
        return
        [
            Entry<T, GemmKernels<Vector512<int>, GemmSimd512, GemmDotAvx512, TFormat>>(types, "avx512", avx512, "the processor or the runtime's settings lack AVX-512 F, BW or DQ"),
            Entry<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotVnni, TFormat>>(types, "avxvnni", avx2 && AvxVnni.IsSupported, "the processor or the runtime's settings lack AVX-VNNI, AVX2 or FMA"),
            Entry<T, GemmKernels<Vector256<int>, GemmSimd256, GemmDotAvx2, TFormat>>(types, "avx2", avx2, "the processor or the runtime's settings lack AVX2 or FMA"),
            Entry<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>(types, "advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor"),
            Entry<T, GemmKernels<Vector128<int>, GemmSimd128, GemmDot128, TFormat>>(types, "sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off"),
            Entry<T, GemmKernels<uint, GemmSimdScalar, GemmDotScalar, TFormat>>(types, "scalar", true, ""),
        ];
    }

    // 2:4 weights are multiplied in float alone: no integer dot products, so nothing that tells AVX-VNNI from AVX2.
    private static VariantEntry<IMixedPrecisionGemmBackend<T>>[] Sparse<T, TFormat>(string weights) where T : unmanaged where TFormat : struct, IWeightFormat
    {
        string types = Types<T>(weights);
        return
        [
            Entry<T, SparseGemmKernels<Vector512<int>, GemmSimd512, TFormat>>(types, "avx512", Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, "the processor or the runtime's settings lack AVX-512 F, BW or DQ"),
            Entry<T, SparseGemmKernels<Vector256<int>, GemmSimd256, TFormat>>(types, "avx2", Avx2.IsSupported && Fma.IsSupported, "the processor or the runtime's settings lack AVX2 or FMA"),
            Entry<T, SparseGemmKernels<Vector128<int>, GemmSimd128, TFormat>>(types, "advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor"),
            Entry<T, SparseGemmKernels<Vector128<int>, GemmSimd128, TFormat>>(types, "sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off"),
            Entry<T, SparseGemmKernels<uint, GemmSimdScalar, TFormat>>(types, "scalar", true, ""),
        ];
    }

    private static string Types<T>(string weights) => $"{ElementToken.Of<T>()}_{weights}_{ElementToken.Of<T>()}";

    private static VariantEntry<IMixedPrecisionGemmBackend<T>> Entry<T, TKernels>(string types, string instructionSet, bool isSupported, string reason)
        where T : unmanaged where TKernels : struct, IGemmKernels
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        var variant = new KernelVariant(Family, types, Backend, instructionSet, availability, isSupported ? "" : reason);
        return new(variant, BackendOf<T, TKernels>());
    }

    /// <summary>The driver with these micro-kernels.</summary>
    public static IMixedPrecisionGemmBackend<T> BackendOf<T, TKernels>() where T : unmanaged where TKernels : struct, IGemmKernels
    {
        object backend =
            typeof(T) == typeof(float) ? new MixedPrecisionGemmCpu<float, ComputeStorage<float>, TKernels>() :
            typeof(T) == typeof(Half) ? new MixedPrecisionGemmCpu<Half, HalfStorage, TKernels>() :
            new MixedPrecisionGemmCpu<BFloat16, BFloat16Storage, TKernels>();
        return (IMixedPrecisionGemmBackend<T>)backend;
    }
}
