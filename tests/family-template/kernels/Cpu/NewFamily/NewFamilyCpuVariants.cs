using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.NewFamily;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.NewFamily;

/// <summary>The managed variants. One body serves all; they differ in the width of its registers.</summary>
internal static class NewFamilyCpuVariants
{
    private static readonly VariantEntries<INewFamilyBackend> s_entries = new("new_family", "f32", NativeKernels.AbsenceOf);

    /// <summary>Best first. The last one runs everywhere.</summary>
    public static VariantEntry<INewFamilyBackend>[] All { get; } =
    [
        s_entries.Managed<Avx512>(new NewFamilyCpu<Simd512<float>, Vector512<float>>()),
        s_entries.Managed<Avx2>(new NewFamilyCpu<Simd256<float>, Vector256<float>>()),
        s_entries.Managed<AdvSimd128>(new NewFamilyCpu<Simd128<float>, Vector128<float>>()),
        s_entries.Managed<Sse42>(new NewFamilyCpu<Simd128<float>, Vector128<float>>()),
        s_entries.Managed<Scalar>(new NewFamilyCpu<SimdScalar<float>, float>()),
    ];
}
