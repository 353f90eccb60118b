namespace Kernels;

/// <summary>Whether a variant can run on this machine.</summary>
public enum VariantAvailability
{
    /// <summary>The machine has what the variant needs.</summary>
    Available,

    /// <summary>The machine lacks the instructions; tests can run the variant in software, but it is never chosen.</summary>
    Emulated,

    /// <summary>The variant cannot run here.</summary>
    Absent,
}

/// <summary>One implementation of a family for one element type: an entry of the catalogue that feeds dispatch, tests, benchmarks and the README.</summary>
/// <param name="Family">The family's word, such as <c>softmax</c>.</param>
/// <param name="Types">The element types, such as <c>f32</c>.</param>
/// <param name="Backend"><c>cpu</c> (managed SIMD), <c>native</c> (C++) or <c>gpu</c> (ILGPU).</param>
/// <param name="Implementation">What it is made of: the instruction set, named as .NET names it, in lower case, or the algorithm.</param>
/// <param name="Availability">Whether it can run on this machine.</param>
/// <param name="Reason">Why it cannot, or an empty string.</param>
public sealed record KernelVariant(
    string Family, string Types, string Backend, string Implementation, VariantAvailability Availability, string Reason)
{
    /// <summary>The identity string: <c>family/types/backend/implementation</c>.</summary>
    public string Identity { get; } = $"{Family}/{Types}/{Backend}/{Implementation}";
}
