using Kernels.Core.Catalogue;
using Kernels.Core.ParaRnn;
using Kernels.Cpu.ParaRnn;

namespace Kernels.Managed;

/// <summary>The variants of the recurrences of one element type, best first.</summary>
internal static class ParaRnnVariants<T> where T : unmanaged
{
    public static VariantTable<IParaRnnBackend<T>> Table { get; } = new(ParaRnnCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);
}
