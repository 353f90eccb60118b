using Kernels.Core.Catalogue;
using Kernels.Core.Softmax;
using Kernels.Cpu.Softmax;
using Kernels.Native.Softmax;

namespace Kernels.Managed;

/// <summary>
/// The softmax variants of one element type, best first: by width of the registers, and of equal width the native one, which was measured to be faster
/// (docs/families/softmax.md). The scalar ones come last; of these the managed one runs anywhere.
/// </summary>
internal static class SoftmaxVariants<T> where T : unmanaged
{
    private static readonly string[] s_instructionSets = ["avx512", "avx2", "advsimd", "sse42", "scalar"];

    public static VariantTable<ISoftmaxBackend<T>> Table { get; } = new(
        SoftmaxNativeVariants.Of<T>().Concat(SoftmaxCpuVariants.Of<T>()).OrderBy(entry => Array.IndexOf(s_instructionSets, entry.Variant.InstructionSet)),
        ForcedVariants.FromEnvironment);
}
