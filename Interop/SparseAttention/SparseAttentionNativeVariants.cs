using Kernels.Native.Library;

namespace Kernels.Native.SparseAttention;

/// <summary>The instruction sets that the native library has micro-kernels of attention for.</summary>
internal static class SparseAttentionNativeVariants
{
    /// <summary>The identity and the availability of a native variant. Compiled code cannot be emulated: a variant is there or it is absent.</summary>
    /// <param name="types">The types' word in the identity.</param>
    /// <param name="instructionSet">The instruction set's word.</param>
    /// <param name="isa">Its number in the C ABI.</param>
    /// <param name="missingBeside">Why managed code for the same registers cannot run here; empty if it can.</param>
    public static KernelVariant Describe(string types, string instructionSet, NativeIsa isa, string missingBeside)
    {
        string native = NativeKernels.AbsenceOf(isa), absence = native.Length > 0 ? native : missingBeside;
        VariantAvailability availability = absence.Length == 0 ? VariantAvailability.Available : VariantAvailability.Absent;
        return new KernelVariant("sparse_attention", types, "native", instructionSet, availability, absence);
    }
}
