using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Softmax;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>The managed softmax variants. One body serves all; they differ in the width of its registers.</summary>
internal static class SoftmaxCpuVariants
{
    private const string Family = "softmax", Backend = "cpu";

    /// <summary>The variants of one element type, best first. The last one runs everywhere.</summary>
    public static VariantEntry<ISoftmaxBackend<T>>[] Of<T>() where T : unmanaged =>
    [
        Entry<T>("avx512", Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported, "the processor or the runtime's settings lack AVX-512 F, BW or DQ",
            new Width<Simd512<float>, Vector512<float>, Simd512<double>, Vector512<double>>()),
        Entry<T>("avx2", Avx2.IsSupported && Fma.IsSupported, "the processor or the runtime's settings lack AVX2 or FMA", new Width<Simd256<float>, Vector256<float>, Simd256<double>, Vector256<double>>()),
        Entry<T>("advsimd", AdvSimd.Arm64.IsSupported, "not an ARM64 processor", new Width<Simd128<float>, Vector128<float>, Simd128<double>, Vector128<double>>()),
        Entry<T>("sse42", Sse42.IsSupported, "not an x86-64 processor, or the runtime's settings turn SIMD off", new Width<Simd128<float>, Vector128<float>, Simd128<double>, Vector128<double>>()),
        Entry<T>("scalar", true, "", new Width<SimdScalar<float>, float, SimdScalar<double>, double>()),
    ];

    private static VariantEntry<ISoftmaxBackend<T>> Entry<T>(string instructionSet, bool isSupported, string reason, IWidth width) where T : unmanaged
    {
        VariantAvailability availability = isSupported ? VariantAvailability.Available : VariantAvailability.Emulated;
        var variant = new KernelVariant(Family, ElementToken.Of<T>(), Backend, instructionSet, availability, isSupported ? "" : reason);
        return new(variant, (ISoftmaxBackend<T>)BackendOf<T>(width));
    }

    private static object BackendOf<T>(IWidth width) where T : unmanaged =>
        typeof(T) == typeof(double) ? width.Double<double, ComputeStorage<double>>() :
        typeof(T) == typeof(float) ? width.Single<float, ComputeStorage<float>>() :
        typeof(T) == typeof(Half) ? width.Single<Half, HalfStorage>() :
        width.Single<BFloat16, BFloat16Storage>();

    /// <summary>Makes the driver for one register width.</summary>
    private interface IWidth
    {
        object Single<T, TStorage>() where T : unmanaged where TStorage : struct, IStorage<T, float>;

        object Double<T, TStorage>() where T : unmanaged where TStorage : struct, IStorage<T, double>;
    }

    private sealed class Width<TSingle, VSingle, TDouble, VDouble> : IWidth
        where TSingle : struct, ISimd<VSingle, float>
        where VSingle : unmanaged
        where TDouble : struct, ISimd<VDouble, double>
        where VDouble : unmanaged
    {
        public object Single<T, TStorage>() where T : unmanaged where TStorage : struct, IStorage<T, float> =>
            new SoftmaxCpu<T, float, SoftmaxKernels<TSingle, VSingle, float>, TStorage>();

        public object Double<T, TStorage>() where T : unmanaged where TStorage : struct, IStorage<T, double> =>
            new SoftmaxCpu<T, double, SoftmaxKernels<TDouble, VDouble, double>, TStorage>();
    }
}
