using System.Numerics;
using Kernels.Core.Catalogue;
using Kernels.Managed;

namespace Kernels;

/// <summary>One operation's variants for one element type, best first, and the one that default options lead to.</summary>
/// <param name="Operation">The family's word where one table serves the whole family, else with the operation's behind it:
/// <c>mixed_precision_gemm.exact</c>.</param>
/// <param name="Variants">Every variant of the catalogue, those that cannot run here included.</param>
/// <param name="Chosen">The variant that runs unless an option names another.</param>
public sealed record KernelDispatch(string Operation, IReadOnlyList<KernelVariant> Variants, KernelVariant Chosen);

/// <summary>
/// What this library found on the machine: processor features, backends present or absent with the reason, and the variant chosen for each operation.
/// </summary>
public static class KernelInfo
{
    /// <summary>Processor, caches and instruction sets.</summary>
    public static MachineInfo Machine => MachineInfo.Current;

    /// <summary>Every operation and element type with its variants: the catalogue that also feeds the tests, the benchmarks and the README.</summary>
    /// <exception cref="TypeInitializationException"><c>KERNELS_FORCE</c> names a variant that does not exist; the inner exception says which.</exception>
    public static IReadOnlyList<KernelDispatch> Catalogue { get; } = Checked(
    [
        Describe(SoftmaxVariants<float>.Table),
        Describe(SoftmaxVariants<double>.Table),
        Describe(SoftmaxVariants<Half>.Table),
        Describe(SoftmaxVariants<BrainFloat16>.Table),
        .. MixedPrecisionGemmVariants<float>.Tables.Select(Describe),
        .. MixedPrecisionGemmVariants<Half>.Tables.Select(Describe),
        .. MixedPrecisionGemmVariants<BrainFloat16>.Tables.Select(Describe),
        Describe(Int8DecompositionVariants<float>.Table),
        Describe(Int8DecompositionVariants<Half>.Table),
        Describe(Int8DecompositionVariants<BrainFloat16>.Table),
        Describe(Int8DecompositionVariants<float>.Backward),
        Describe(Int8DecompositionVariants<Half>.Backward),
        Describe(Int8DecompositionVariants<BrainFloat16>.Backward),
        Describe(SparseAttentionVariants.Of(KeyValueType.Float32)),
        Describe(SparseAttentionVariants.Of(KeyValueType.Float16)),
        Describe(SparseAttentionVariants.Of(KeyValueType.BFloat16)),
        Describe(SparseAttentionVariants.Of(KeyValueType.Int8)),
        Describe(SpGemmVariants<float>.Table),
        Describe(SpGemmVariants<double>.Table),
        Describe(SpGemmVariants<int>.Table),
        Describe(SpGemmVariants<long>.Table),
        Describe(SpGemmVariants<bool>.Table),
        Describe(SpGemmVariants<Complex>.Table),
        Describe(ParaRnnVariants<float>.Table),
        Describe(ParaRnnVariants<double>.Table),
        Describe(TensorBleuVariants<int>.Table),
        Describe(TensorBleuVariants<long>.Table),
        Describe(TensorBleuVariants<ushort>.Table),
        Describe(TensorBleuVariants<uint>.Table),
        Describe(LinearCrossEntropyVariants.Table),
    ]);

    /// <summary>The value of <c>KERNELS_FORCE</c> that this process started with, or <see langword="null"/>.</summary>
    public static string? ForcedVariants => Core.Catalogue.ForcedVariants.FromEnvironment;

    private static KernelDispatch[] Checked(KernelDispatch[] catalogue)
    {
        Core.Catalogue.ForcedVariants.Check(ForcedVariants, catalogue.SelectMany(dispatch => dispatch.Variants));
        return catalogue;
    }

    private static KernelDispatch Describe<TBackend>(VariantTable<TBackend> table)
        where TBackend : class => new(table.Operation, [.. table.Variants], table.Chosen);
}
