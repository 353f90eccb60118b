using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.LinearCrossEntropy;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>The managed variants. One body serves all; they differ in the width of its registers.</summary>
internal static class LinearCrossEntropyCpuVariants
{
    private static readonly VariantEntries<ILinearCrossEntropyBackend> s_entries = new("linear_cross_entropy", "f32", NativeKernels.AbsenceOf);

    /// <summary>Best first. The last one runs everywhere.</summary>
    public static VariantEntry<ILinearCrossEntropyBackend>[] All { get; } =
    [
        s_entries.Managed<Avx512>(new LinearCrossEntropyCpu<Simd512<float>, Vector512<float>>()),
        s_entries.Managed<Avx2>(new LinearCrossEntropyCpu<Simd256<float>, Vector256<float>>()),
        s_entries.Managed<AdvSimd128>(new LinearCrossEntropyCpu<Simd128<float>, Vector128<float>>()),
        s_entries.Managed<Sse42>(new LinearCrossEntropyCpu<Simd128<float>, Vector128<float>>()),
        s_entries.Managed<Scalar>(new LinearCrossEntropyCpu<SimdScalar<float>, float>()),
    ];
}
