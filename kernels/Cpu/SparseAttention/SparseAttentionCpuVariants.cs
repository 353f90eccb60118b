using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// The variants. One driver serves all; managed ones differ in register width and in the integer dot product of key planes. Of one instruction set the native
/// variant leads, as it was measured (docs/families/sparse_attention.md): it widens stored elements in one instruction.
/// </summary>
internal static class SparseAttentionCpuVariants
{
    /// <summary>The variants for one type of keys and values, best first. The managed scalar one runs everywhere.</summary>
    public static VariantEntry<ISparseAttentionBackend>[] Of(KeyValueType type)
    {
        var entries = new VariantEntries<ISparseAttentionBackend>("sparse_attention", type.Token(), NativeKernels.AbsenceOf);
        return
        [
            entries.Native<Avx512, Avx512>(
                BackendOf<NativeAttentionKernels<AttentionKernels<Simd512<float>, Vector512<float>, NibbleDot512, Vector512<int>>, Avx512, Avx512Vnni>>(type)),
            entries.Managed<Avx512>(BackendOf<AttentionKernels<Simd512<float>, Vector512<float>, NibbleDot512, Vector512<int>>>(type)),
            entries.Native<Avx2, Avx2>(BackendOf<NativeAttentionKernels<AttentionKernels<Simd256<float>, Vector256<float>, NibbleDot256, Vector256<int>>, Avx2,
                AvxVnni>>(type)),
            entries.Managed<Avx2>(BackendOf<AttentionKernels<Simd256<float>, Vector256<float>, NibbleDot256, Vector256<int>>>(type)),
            entries.Managed<AdvSimd128>(BackendOf<AttentionKernels<Simd128<float>, Vector128<float>, NibbleDot128, Vector128<int>>>(type)),
            entries.Managed<Sse42>(BackendOf<AttentionKernels<Simd128<float>, Vector128<float>, NibbleDot128, Vector128<int>>>(type)),
            entries.Native<Scalar>(BackendOf<NativeAttentionKernels<AttentionKernels<SimdScalar<float>, float, NibbleDotScalar, int>, Scalar, Scalar>>(type)),
            entries.Managed<Scalar>(BackendOf<AttentionKernels<SimdScalar<float>, float, NibbleDotScalar, int>>(type)),
        ];
    }

    // The driver with these micro-kernels.
    private static ISparseAttentionBackend BackendOf<TKernels>(KeyValueType type) where TKernels : struct, IAttentionKernels => type switch
    {
        KeyValueType.Float32 => new SparseAttentionCpu<TKernels, SingleFormat>(),
        KeyValueType.Float16 => new SparseAttentionCpu<TKernels, HalfFormat>(),
        KeyValueType.BFloat16 => new SparseAttentionCpu<TKernels, BFloat16Format>(),
        _ => new SparseAttentionCpu<TKernels, Int8Format>(),
    };
}
