using Kernels.Core.Catalogue;
using Kernels.Core.NewFamily;
using Kernels.Cpu.NewFamily;

namespace Kernels.Managed;

/// <summary>The variants of the new family, best first.</summary>
internal static class NewFamilyVariants
{
    public static VariantTable<INewFamilyBackend> Table { get; } = new(NewFamilyCpuVariants.All, ForcedVariants.FromEnvironment);
}
