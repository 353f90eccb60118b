using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SparseAttention;

/// <summary>The managed variants. One body serves all; they differ in register width and in the integer dot product of key planes.</summary>
internal static class SparseAttentionCpuVariants
{
    private const string Family = "sparse_attention", Backend = "cpu";

    /// <summary>The variants for one type of keys and values, best first. The last one runs everywhere.</summary>
    public static VariantEntry<ISparseAttentionBackend>[] Of(KeyValueType type)
    {
        bool avx512 = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, avx2 = Avx2.IsSupported && Fma.IsSupported;
        return
        [
            Entry<AttentionKernels<Simd512<float>, Vector512<float>, PlaneDot512, Vector512<int>>>(type, "avx512", avx512, "the processor or the runtime's settings lack AVX-512 F, BW or DQ"),
            Entry<AttentionKernels<Simd256<float>, Vector256<float>, PlaneDot256, Vector256<int>>>(type, "avx2", avx2, "the processor or the runtime's settings lack AVX2 or FMA"),
            Entry<AttentionKernels<Simd128<float>, Vector128<float>, PlaneDot128, Vector128<int>>>(type, "advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor"),
            Entry<AttentionKernels<Simd128<float>, Vector128<float>, PlaneDot128, Vector128<int>>>(type, "sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off"),
            Entry<AttentionKernels<SimdScalar<float>, float, PlaneDotScalar, int>>(type, "scalar", true, ""),
        ];
    }

    private static VariantEntry<ISparseAttentionBackend> Entry<TKernels>(KeyValueType type, string instructionSet, bool isSupported, string reason) where TKernels : struct, IAttentionKernels
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        var variant = new KernelVariant(Family, type.Token(), Backend, instructionSet, availability, isSupported ? "" : reason);
        return new(variant, BackendOf<TKernels>(type));
    }

    /// <summary>The driver with these micro-kernels.</summary>
    public static ISparseAttentionBackend BackendOf<TKernels>(KeyValueType type) where TKernels : struct, IAttentionKernels => type switch
    {
        KeyValueType.Float32 => new SparseAttentionCpu<TKernels, SingleFormat>(),
        KeyValueType.Float16 => new SparseAttentionCpu<TKernels, HalfFormat>(),
        KeyValueType.BFloat16 => new SparseAttentionCpu<TKernels, BFloat16Format>(),
        _ => new SparseAttentionCpu<TKernels, Int8Format>(),
    };
}
