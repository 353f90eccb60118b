using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Softmax;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using Kernels.Native.Softmax;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.Softmax;

/// <summary>The softmax variants. One body serves all managed ones; they differ in the width of its registers.</summary>
internal static class SoftmaxCpuVariants
{
    /// <summary>
    /// The variants of one element type, best first: by width of the registers, and of equal width the native one, which was measured to be faster
    /// (docs/families/softmax.md).
    /// </summary>
    public static VariantEntry<ISoftmaxBackend<T>>[] Of<T>() where T : unmanaged
    {
        var entries = new VariantEntries<ISoftmaxBackend<T>>("softmax", TypeName.Of<T>(), NativeKernels.AbsenceOf);
        return
        [
            entries.Native<Avx512>(new SoftmaxNative<T>(Avx512.NativeNumber)),
            entries.Managed<Avx512>(BackendOf<T>(new Width<Simd512<float>, Vector512<float>, Simd512<double>, Vector512<double>>())),
            entries.Native<Avx2>(new SoftmaxNative<T>(Avx2.NativeNumber)),
            entries.Managed<Avx2>(BackendOf<T>(new Width<Simd256<float>, Vector256<float>, Simd256<double>, Vector256<double>>())),
            entries.Managed<AdvSimd128>(BackendOf<T>(new Width<Simd128<float>, Vector128<float>, Simd128<double>, Vector128<double>>())),
            entries.Managed<Sse42>(BackendOf<T>(new Width<Simd128<float>, Vector128<float>, Simd128<double>, Vector128<double>>())),
            entries.Native<Scalar>(new SoftmaxNative<T>(Scalar.NativeNumber)),
            entries.Managed<Scalar>(BackendOf<T>(new Width<SimdScalar<float>, float, SimdScalar<double>, double>())),
        ];
    }

    private static ISoftmaxBackend<T> BackendOf<T>(IWidth width) where T : unmanaged => (ISoftmaxBackend<T>)(
        typeof(T) == typeof(double) ? width.Double<double, ComputeStorage<double>>() :
        typeof(T) == typeof(float) ? width.Single<float, ComputeStorage<float>>() :
        typeof(T) == typeof(Half) ? width.Single<Half, HalfStorage>() :
        width.Single<BrainFloat16, BFloat16Storage>());

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
