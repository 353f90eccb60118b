using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.NewFamily;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.NewFamily;

/// <summary>The managed variants. One body serves all; they differ in the width of its registers.</summary>
internal static class NewFamilyCpuVariants
{
    private const string Family = "new_family", Types = "f32", Backend = "cpu";

    /// <summary>Best first. The last one runs everywhere.</summary>
    public static VariantEntry<INewFamilyBackend>[] All { get; } =
    [
        Entry("avx512", Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, "the processor or the runtime's settings lack AVX-512 F, BW or DQ",
            new NewFamilyCpu<Simd512<float>, Vector512<float>>()),
        Entry("avx2", Avx2.IsSupported && Fma.IsSupported, "the processor or the runtime's settings lack AVX2 or FMA",
            new NewFamilyCpu<Simd256<float>, Vector256<float>>()),
        Entry("advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor", new NewFamilyCpu<Simd128<float>, Vector128<float>>()),
        Entry("sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off",
            new NewFamilyCpu<Simd128<float>, Vector128<float>>()),
        Entry("scalar", true, "", new NewFamilyCpu<SimdScalar<float>, float>()),
    ];

    private static VariantEntry<INewFamilyBackend> Entry(string instructionSet, bool isSupported, string reason, INewFamilyBackend backend)
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        return new(new KernelVariant(Family, Types, Backend, instructionSet, availability, isSupported ? "" : reason), backend);
    }
}
