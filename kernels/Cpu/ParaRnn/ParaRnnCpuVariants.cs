using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.ParaRnn;
using Kernels.Cpu.Simd;
using Kernels.Native.Library;
using static Kernels.Core.Machine.InstructionSets;

namespace Kernels.Cpu.ParaRnn;

/// <summary>The managed variants. One body serves all; they differ in the width of its registers.</summary>
internal static class ParaRnnCpuVariants
{
    /// <summary>The variants of float or double, best first. The last one runs everywhere.</summary>
    public static VariantEntry<IParaRnnBackend<T>>[] Of<T>() where T : unmanaged
    {
        var entries = new VariantEntries<IParaRnnBackend<T>>("para_rnn", TypeName.Of<T>(), NativeKernels.AbsenceOf);
        return
        [
            entries.Managed<Avx512>(new ParaRnnCpu<Simd512<T>, Vector512<T>, T>()),
            entries.Managed<Avx2>(new ParaRnnCpu<Simd256<T>, Vector256<T>, T>()),
            entries.Managed<AdvSimd128>(new ParaRnnCpu<Simd128<T>, Vector128<T>, T>()),
            entries.Managed<Sse42>(new ParaRnnCpu<Simd128<T>, Vector128<T>, T>()),
            entries.Managed<Scalar>(new ParaRnnCpu<SimdScalar<T>, T, T>()),
        ];
    }
}
