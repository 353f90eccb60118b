using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The managed variants: one body, six dot products. AVX-VNNI comes first: .NET 10 offers vpdpbusd on 256 bits only, and one of it does in 256 bits what a widening load, a vpmaddwd
/// and an addition do in 512.
/// </summary>
internal static class Int8DecompositionCpuVariants
{
    private const string Family = "int8_decomposition", Backend = "cpu";

    /// <summary>The variants for one type of activations and outputs, best first. The last one runs everywhere.</summary>
    public static VariantEntry<IInt8DecompositionBackend<T>>[] Of<T>() where T : unmanaged
    {
        bool avx512 = Avx512F.IsSupported && Avx512BW.IsSupported, avx2 = Avx2.IsSupported && Fma.IsSupported;
        return
        [
            Entry<T, Int8Kernels<Vector256<int>, Int8DotVnni>>("avxvnni", avx2 && AvxVnni.IsSupported, "the processor or the runtime's settings lack AVX-VNNI, AVX2 or FMA"),
            Entry<T, Int8Kernels<Vector512<int>, Int8DotAvx512>>("avx512", avx512, "the processor or the runtime's settings lack AVX-512 F or BW"),
            Entry<T, Int8Kernels<Vector256<int>, Int8DotAvx2>>("avx2", avx2, "the processor or the runtime's settings lack AVX2 or FMA"),
            Entry<T, Int8Kernels<Vector128<int>, Int8DotAdvSimd>>("advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor"),
            Entry<T, Int8Kernels<Vector128<int>, Int8DotSse>>("sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off"),
            Entry<T, Int8Kernels<int, Int8DotScalar>>("scalar", true, ""),
        ];
    }

    private static VariantEntry<IInt8DecompositionBackend<T>> Entry<T, TKernels>(string instructionSet, bool isSupported, string reason)
        where T : unmanaged where TKernels : struct, IInt8Kernels
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        string types = $"{ElementToken.Of<T>()}_i8_{ElementToken.Of<T>()}";
        return new(new KernelVariant(Family, types, Backend, instructionSet, availability, isSupported ? "" : reason), BackendOf<T, TKernels>());
    }

    /// <summary>The driver with these micro-kernels.</summary>
    public static IInt8DecompositionBackend<T> BackendOf<T, TKernels>() where T : unmanaged where TKernels : struct, IInt8Kernels
    {
        object backend =
            typeof(T) == typeof(float) ? new Int8DecompositionCpu<float, ComputeStorage<float>, TKernels>() :
            typeof(T) == typeof(Half) ? new Int8DecompositionCpu<Half, HalfStorage, TKernels>() :
            new Int8DecompositionCpu<BFloat16, BFloat16Storage, TKernels>();
        return (IInt8DecompositionBackend<T>)backend;
    }
}
