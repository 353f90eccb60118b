using Kernels.Core.Machine;

namespace Kernels.Core.Catalogue;

/// <summary>Makes the entries of one table: the variants of one family for its types.</summary>
/// <param name="Family">The family's word.</param>
/// <param name="Types">The types' words.</param>
/// <param name="NativeAbsence">Why the native library cannot run an instruction set of this number; empty if it can.</param>
internal sealed record VariantEntries<TBackend>(string Family, string Types, Func<int, string> NativeAbsence) where TBackend : class
{
    /// <summary>An algorithm, which runs everywhere.</summary>
    public VariantEntry<TBackend> Algorithm(string word, TBackend backend) => Entry("cpu", word, VariantAvailability.Available, "", backend);

    /// <summary>Managed code: portable, so that it can be tried in software where the instruction set is absent.</summary>
    public VariantEntry<TBackend> Managed<TSet>(TBackend backend) where TSet : struct, IInstructionSet =>
        Entry("cpu", TSet.Word, TSet.IsOn ? VariantAvailability.Available : VariantAvailability.Emulated, TSet.IsOn ? "" : TSet.Absence, backend);

    /// <summary>Native code, all that takes time of it.</summary>
    public VariantEntry<TBackend> Native<TSet>(TBackend backend) where TSet : struct, INativeInstructionSet => Native<TSet, InstructionSets.Scalar>(backend);

    /// <summary>
    /// Native code that shares the work with managed code, for which <typeparamref name="TManaged"/> must be on. Compiled code cannot be emulated: it is there
    /// or absent.
    /// </summary>
    public VariantEntry<TBackend> Native<TSet, TManaged>(TBackend backend) where TSet : struct, INativeInstructionSet where TManaged : struct, IInstructionSet
    {
        string native = InstructionSets.NativeAbsence<TSet>(NativeAbsence(TSet.NativeNumber)), absence = native.Length > 0 || TManaged.IsOn ? native
            : TManaged.Absence;
        return Entry("native", TSet.Word, absence.Length == 0 ? VariantAvailability.Available : VariantAvailability.Absent, absence, backend);
    }

    private VariantEntry<TBackend> Entry(string backend, string implementation, VariantAvailability availability, string reason, TBackend runs) =>
        new(new KernelVariant(Family, Types, backend, implementation, availability, reason), runs);
}
