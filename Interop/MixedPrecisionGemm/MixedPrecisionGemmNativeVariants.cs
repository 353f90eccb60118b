using Kernels.Native.Library;

namespace Kernels.Native.MixedPrecisionGemm;

/// <summary>The instruction sets that the native library has eight-bit micro-kernels for.</summary>
internal static class MixedPrecisionGemmNativeVariants
{
    /// <summary>The identity and the availability of a native variant. Compiled code cannot be emulated: a variant is there or it is absent.</summary>
    /// <param name="types">The types' word in the identity.</param>
    /// <param name="instructionSet">The instruction set's word.</param>
    /// <param name="isa">Its number in the C ABI.</param>
    /// <param name="missingBeside">Why the managed code that it runs with cannot run here; empty if it can.</param>
    public static KernelVariant Describe(string types, string instructionSet, NativeIsa isa, string missingBeside)
    {
        string native = NativeKernels.AbsenceOf(isa), absence = native.Length > 0 ? native : missingBeside;
        VariantAvailability availability = absence.Length == 0 ? VariantAvailability.Available : VariantAvailability.Absent;
        return new KernelVariant("mixed_precision_gemm", types, "native", instructionSet, availability, absence);
    }
}
