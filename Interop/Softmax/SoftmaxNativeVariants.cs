using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Softmax;
using Kernels.Native.Library;

namespace Kernels.Native.Softmax;

/// <summary>The native softmax variants of one element type, best first.</summary>
internal static class SoftmaxNativeVariants
{
    public static VariantEntry<ISoftmaxBackend<T>>[] Of<T>() where T : unmanaged =>
        [Entry<T>("avx512", NativeIsa.Avx512), Entry<T>("avx2", NativeIsa.Avx2), Entry<T>("scalar", NativeIsa.Scalar)];

    // Compiled code cannot be emulated: a variant is there or it is absent.
    private static VariantEntry<ISoftmaxBackend<T>> Entry<T>(string instructionSet, NativeIsa isa) where T : unmanaged
    {
        string absence = NativeKernels.AbsenceOf(isa);
        VariantAvailability availability = absence.Length == 0 ? VariantAvailability.Available : VariantAvailability.Absent;
        return new(new KernelVariant("softmax", ElementToken.Of<T>(), "native", instructionSet, availability, absence), new SoftmaxNative<T>(isa));
    }
}
