using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The variants: one driver, six managed dot products and four native ones, in the order in which they were measured (docs/families/int8_decomposition.md). The
/// native avx512vnni leads, since .NET 10 offers vpdpbusd on 256 bits only. One of that does in 256 bits what a widening load, a vpmaddwd and an addition do in
/// 512, so AVX-VNNI comes before AVX-512. Elsewhere the managed one goes before the native one of the same instructions, which is no faster.
/// </summary>
internal static class Int8DecompositionCpuVariants
{
    /// <summary>The variants for one type of activations and outputs, best first. The managed scalar one runs everywhere.</summary>
    public static VariantEntry<IInt8DecompositionBackend<T>>[] Of<T>() where T : unmanaged
    {
        VariantEntries<IInt8DecompositionBackend<T>> entries = Entries<T, IInt8DecompositionBackend<T>>();
        return
        [
            entries.Native<Avx512Vnni>(BackendOf<T, NativeInt8Kernels<Int8Kernels<Vector256<int>, Int8DotVnni>, Avx512Vnni>>()),
            entries.Managed<AvxVnni>(BackendOf<T, Int8Kernels<Vector256<int>, Int8DotVnni>>()),
            entries.Native<AvxVnni>(BackendOf<T, NativeInt8Kernels<Int8Kernels<Vector256<int>, Int8DotVnni>, AvxVnni>>()),
            entries.Managed<Avx512>(BackendOf<T, Int8Kernels<Vector512<int>, Int8DotAvx512>>()),
            entries.Managed<Avx2>(BackendOf<T, Int8Kernels<Vector256<int>, Int8DotAvx2>>()),
            entries.Native<Avx2>(BackendOf<T, NativeInt8Kernels<Int8Kernels<Vector256<int>, Int8DotAvx2>, Avx2>>()),
            entries.Managed<AdvSimd128>(BackendOf<T, Int8Kernels<Vector128<int>, Int8DotAdvSimd>>()),
            entries.Managed<Sse42>(BackendOf<T, Int8Kernels<Vector128<int>, Int8DotSse>>()),
            entries.Managed<Scalar>(BackendOf<T, Int8Kernels<int, Int8DotScalar>>()),
            entries.Native<Scalar>(BackendOf<T, NativeInt8Kernels<Int8Kernels<int, Int8DotScalar>, Scalar>>()),
        ];
    }

    /// <summary>The variants of the gradients, by width of the registers. The last one runs everywhere.</summary>
    public static VariantEntry<IInt8GradientBackend<T>>[] GradientsOf<T>() where T : unmanaged
    {
        VariantEntries<IInt8GradientBackend<T>> entries = Entries<T, IInt8GradientBackend<T>>();
        return
        [
            entries.Managed<Avx512>(GradientOf<T, Simd512<float>, Vector512<float>>()),
            entries.Managed<Avx2>(GradientOf<T, Simd256<float>, Vector256<float>>()),
            entries.Managed<AdvSimd128>(GradientOf<T, Simd128<float>, Vector128<float>>()),
            entries.Managed<Sse42>(GradientOf<T, Simd128<float>, Vector128<float>>()),
            entries.Managed<Scalar>(GradientOf<T, SimdScalar<float>, float>()),
        ];
    }

    private static VariantEntries<TBackend> Entries<T, TBackend>() where T : unmanaged where TBackend : class =>
        new("int8_decomposition", $"{TypeName.Of<T>()}_i8_{TypeName.Of<T>()}", NativeKernels.AbsenceOf);

    private static IInt8GradientBackend<T> GradientOf<T, TSimd, V>() where T : unmanaged where TSimd : struct, ISimd<V, float> where V : unmanaged
    {
        object backend =
            typeof(T) == typeof(float) ? new Int8GradientCpu<float, ComputeStorage<float>, TSimd, V>() :
            typeof(T) == typeof(Half) ? new Int8GradientCpu<Half, HalfStorage, TSimd, V>() :
            new Int8GradientCpu<BrainFloat16, BFloat16Storage, TSimd, V>();
        return (IInt8GradientBackend<T>)backend;
    }

    // The driver with these micro-kernels.
    private static IInt8DecompositionBackend<T> BackendOf<T, TKernels>() where T : unmanaged where TKernels : struct, IInt8Kernels
    {
        object backend =
            typeof(T) == typeof(float) ? new Int8DecompositionCpu<float, ComputeStorage<float>, TKernels>() :
            typeof(T) == typeof(Half) ? new Int8DecompositionCpu<Half, HalfStorage, TKernels>() :
            new Int8DecompositionCpu<BrainFloat16, BFloat16Storage, TKernels>();
        return (IInt8DecompositionBackend<T>)backend;
    }
}
