using Kernels.Core.Catalogue;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.SparseAttention;

namespace Kernels.Managed;

/// <summary>The variants of the family, best first, for each type of keys and values.</summary>
internal static class SparseAttentionVariants
{
    private static readonly VariantTable<ISparseAttentionBackend>[] s_tables =
        [.. Enum.GetValues<KeyValueType>()
        .Select(type => new VariantTable<ISparseAttentionBackend>(SparseAttentionCpuVariants.Of(type), ForcedVariants.FromEnvironment))];

    public static VariantTable<ISparseAttentionBackend> Of(KeyValueType type) => s_tables[(int)type];
}
