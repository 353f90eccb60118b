using System.Numerics;
using Kernels.Core.Catalogue;
using Kernels.Core.TensorBleu;
using Kernels.Cpu.TensorBleu;

namespace Kernels.Managed;

/// <summary>The BLEU variants of one type of token ids, best first.</summary>
internal static class TensorBleuVariants<T> where T : unmanaged, IBinaryInteger<T>
{
    public static VariantTable<IBleuBackend<T>> Table { get; } = new(TensorBleuCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);
}
