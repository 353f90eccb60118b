using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.ParaRnn;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>The managed variants. One body serves all; they differ in the width of its registers.</summary>
internal static class ParaRnnCpuVariants
{
    private const string Family = "para_rnn", Backend = "cpu";

    /// <summary>The variants of float or double, best first. The last one runs everywhere.</summary>
    public static VariantEntry<IParaRnnBackend<T>>[] Of<T>() where T : unmanaged =>
    [
        Entry("avx512", Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, "the processor or the runtime's settings lack AVX-512 F, BW or DQ",
            new ParaRnnCpu<Simd512<T>, Vector512<T>, T>()),
        Entry("avx2", Avx2.IsSupported && Fma.IsSupported, "the processor or the runtime's settings lack AVX2 or FMA", new ParaRnnCpu<Simd256<T>, Vector256<T>, T>()),
        Entry("advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor", new ParaRnnCpu<Simd128<T>, Vector128<T>, T>()),
        Entry("sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off", new ParaRnnCpu<Simd128<T>, Vector128<T>, T>()),
        Entry("scalar", true, "", new ParaRnnCpu<SimdScalar<T>, T, T>()),
    ];

    private static VariantEntry<IParaRnnBackend<T>> Entry<T>(string instructionSet, bool isSupported, string reason, IParaRnnBackend<T> backend) where T : unmanaged
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        return new(new KernelVariant(Family, ElementToken.Of<T>(), Backend, instructionSet, availability, isSupported ? "" : reason), backend);
    }
}
